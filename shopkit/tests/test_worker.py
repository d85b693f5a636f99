"""A worker, with a real broker: what it is told, what it does by itself, and what becomes of it without one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import redis

from conftest import free_port
from shopkit import background
from shopkit import worker as worker_module
from shopkit.background import RemoteWorker
from shopkit.config import ROOT, config
from shopkit.runner.stores import redis_program
from shopkit.worker import Work
from tests.waiting import wait_for

NAME = "book_service"
PATIENCE = 30
WORKER = """
import sys, time, types
from importlib.machinery import ModuleSpec
from pathlib import Path
from shopkit import sweeper, worker
from shopkit.sweeper import Sweep

folder = Path(sys.argv[1])

def mark(name):
    (folder / f"{name}-{time.monotonic_ns()}").touch()

def woken():
    mark("woken")
    while (folder / "hold").exists():
        time.sleep(0.01)
    if (folder / "again").exists():
        (folder / "again").unlink()
        sweeper.wake()

def ticks():
    mark("ticks")
    if (folder / "again-by-tick").exists():
        (folder / "again-by-tick").unlink()
        sweeper.wake()

def rarely():
    mark("rarely")

def breaks():
    mark("breaks")
    raise ValueError

tasks = sys.modules["book_service.tasks"] = types.ModuleType("book_service.tasks")
tasks.__spec__ = ModuleSpec(tasks.__name__, None)
tasks.SWEEPS = (
    Sweep(woken, every=3600, woken=True), Sweep(ticks, every=1), Sweep(breaks, every=1), Sweep(rarely, every=5)
)
worker.main(["book_service"])
"""


def answers() -> bool:
    with redis.Redis.from_url(str(config().redis_url)) as asked, suppress(redis.RedisError):
        return bool(asked.ping())
    return False


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    if (program := redis_program()) is None:
        pytest.skip("!!! NOT TESTED: there is no Redis")
    port = free_port()
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    config.cache_clear()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(answers, seconds=PATIENCE)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        config.cache_clear()


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(folder)], env={**os.environ}, cwd=ROOT)


@pytest.fixture
def worker(broker: subprocess.Popen[bytes], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start(tmp_path)
    try:
        wait_for(RemoteWorker(NAME).is_alive, seconds=PATIENCE)
        yield process
    finally:
        process.kill()
        process.wait()


def count(folder: Path, name: str) -> int:
    return len(list(folder.glob(f"{name}-*")))


def test_each_sweep_runs_at_the_start_and_in_its_time_and_one_that_fails_stops_none(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    for name in ("ticks", "breaks"):
        wait_for(partial(lambda name: count(tmp_path, name) >= 3, name), seconds=PATIENCE)
    wait_for(lambda: count(tmp_path, "rarely") >= 2, seconds=PATIENCE)
    assert count(tmp_path, "woken") == 1


def waiting() -> int:
    """How many wakes wait for a worker."""
    with redis.Redis.from_url(str(config().redis_url)) as asked:
        return int(asked.llen(f"polyshop:wakes:{NAME}"))  # type: ignore[arg-type]


def test_each_nudge_has_what_is_woken_done(worker: subprocess.Popen[bytes], tmp_path: Path) -> None:
    for times in (1, 2, 3):
        wait_for(partial(lambda times: count(tmp_path, "woken") == times, times), seconds=PATIENCE)
        assert RemoteWorker(NAME).nudge()


def test_many_nudges_are_one_wake_until_it_is_heard(broker: subprocess.Popen[bytes]) -> None:
    remote = RemoteWorker(NAME)
    remote.beat()
    for _ in range(2):
        assert all(each.nudge() for each in [remote, RemoteWorker(NAME)] * 20)
        assert waiting() == 1
        assert remote.wait()
    assert waiting() == 0


def test_a_wake_that_nobody_hears_is_forgotten(
    broker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LISTEN_SECONDS", 1)
    remote = RemoteWorker(NAME)
    remote.beat()
    monkeypatch.setattr(background, "ALIVE_SECONDS", 1)
    assert remote.nudge()
    wait_for(lambda: waiting() == 0, seconds=PATIENCE)
    assert not remote.wait()


def test_who_is_not_alive_is_told_nothing_and_does_not_come_to_life_by_it(broker: subprocess.Popen[bytes]) -> None:
    remote = RemoteWorker(NAME)
    assert not remote.nudge()
    assert not remote.is_alive()
    assert waiting() == 0
    remote.beat()
    assert remote.nudge()
    remote.leave()
    assert not remote.nudge()


def test_being_told_keeps_nobody_alive(broker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "ALIVE_SECONDS", 1)
    remote = RemoteWorker(NAME)
    remote.beat()
    wait_for(lambda: not remote.nudge(), seconds=PATIENCE)
    assert not remote.is_alive()


def test_what_is_written_while_it_looks_is_looked_at_once_more(worker: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_for(lambda: count(tmp_path, "woken") == 1, seconds=PATIENCE)
    (tmp_path / "hold").touch()
    remote = RemoteWorker(NAME)
    assert remote.nudge()
    wait_for(lambda: count(tmp_path, "woken") == 2, seconds=PATIENCE)
    assert all(remote.nudge() for _ in range(20))
    (tmp_path / "hold").unlink()
    wait_for(lambda: count(tmp_path, "woken") == 3, seconds=PATIENCE)
    ticks = count(tmp_path, "ticks")
    wait_for(lambda: count(tmp_path, "ticks") > ticks + 1, seconds=PATIENCE)  # by then, whatever waited was done
    assert count(tmp_path, "woken") == 3


def test_what_a_task_writes_is_looked_at_after_it(worker: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_for(lambda: count(tmp_path, "woken") == 1, seconds=PATIENCE)
    (tmp_path / "again").touch()
    assert RemoteWorker(NAME).nudge()
    wait_for(lambda: count(tmp_path, "woken") == 3, seconds=PATIENCE)


def test_what_is_written_every_few_seconds_is_looked_at_after_it(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    wait_for(lambda: count(tmp_path, "woken") == 1, seconds=PATIENCE)
    (tmp_path / "again-by-tick").touch()
    wait_for(lambda: count(tmp_path, "woken") == 2, seconds=PATIENCE)


def test_what_is_done_every_few_seconds_goes_on_without_a_broker(
    worker: subprocess.Popen[bytes], broker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    broker.kill()
    broker.wait()
    ticks = count(tmp_path, "ticks")
    wait_for(lambda: count(tmp_path, "ticks") > ticks + 1, seconds=PATIENCE)


def test_a_worker_that_ends_says_so(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    assert worker.wait(PATIENCE) == 0
    assert not RemoteWorker(NAME).is_alive()


def test_a_worker_goes_on_when_its_broker_is_back(
    worker: subprocess.Popen[bytes], broker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    broker.kill()
    broker.wait()
    remote = RemoteWorker(NAME)
    assert not remote.is_alive()
    assert not remote.nudge()
    port = str(config().redis_url).rpartition(":")[2].partition("/")[0]
    again = subprocess.Popen([*broker.args, "--port", port], stdout=subprocess.DEVNULL)  # type: ignore[misc]
    successors: list[subprocess.Popen[bytes]] = []

    def is_alive() -> bool:
        """A worker that Celery left deaf has ended; the runner starts another."""
        if worker.poll() is not None and not successors:
            successors.append(start(tmp_path))
        return remote.is_alive()

    try:
        wait_for(is_alive, seconds=2 * PATIENCE)
        ticks = count(tmp_path, "ticks")
        wait_for(lambda: count(tmp_path, "ticks") > ticks, seconds=PATIENCE)
    finally:
        for process in (again, *successors):
            process.kill()
            process.wait()


def test_a_worker_that_hears_nothing_while_its_broker_is_there_is_stuck(
    broker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(NAME)
    assert not work.is_stuck()
    monkeypatch.setattr(worker_module, "DEAF_SECONDS", 0.0)
    assert work.is_stuck()
    busy: list[bool] = []
    work._in_turn(lambda: busy.append(work.is_stuck()))()
    assert busy == [False]  # who is at work can't hear
    broker.kill()
    broker.wait()
    assert not work.is_stuck()  # nor is it worth starting anew


def test_a_broker_that_hangs_counts_as_none(broker: subprocess.Popen[bytes]) -> None:
    broker.send_signal(signal.SIGSTOP)
    remote = RemoteWorker(NAME)
    assert not remote.is_alive()
    assert not remote.nudge()


@pytest.mark.parametrize(("leader", "written"), [(True, ["3"]), (False, [])])
def test_a_worker_makes_nothing_wait_that_shares_its_terminal(
    monkeypatch: pytest.MonkeyPatch, leader: bool, written: list[str]
) -> None:
    of_the_session: list[str] = []
    monkeypatch.setattr(os, "nice", lambda steps: steps)
    monkeypatch.setattr(os, "getsid", lambda _pid: os.getpid() if leader else os.getppid())
    monkeypatch.setattr(Path, "write_text", lambda _path, text: of_the_session.append(text))
    worker_module._stand_back()
    assert of_the_session == written
