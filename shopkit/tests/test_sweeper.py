"""Sweeps: each in its time, one's failure being nobody else's, and an end that does not wait."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from conftest import free_port
from shopkit import sweeper as sweeper_module
from shopkit import topology
from shopkit.config import ROOT
from shopkit.sweeper import Sweep, Sweeper, declared
from tests.waiting import wait_for

PATIENCE = 10


def test_a_sweep_that_fails_is_logged_and_tried_again_and_stops_no_other() -> None:
    failures, other = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failures.release()
        raise ValueError

    sweeper = Sweeper([Sweep(fail, every=0.01), Sweep(other.release, every=0.01)])
    with capture_logs() as logs:
        sweeper.start()
        assert all(each.acquire(timeout=PATIENCE) for each in [failures, other] * 3)
        sweeper.stop()
    assert {entry["event"] for entry in logs} == {"sweep failed"}
    assert logs[0]["sweep"].endswith("fail")


def test_only_what_asks_for_it_is_woken() -> None:
    woken, unwoken = threading.Semaphore(0), threading.Semaphore(0)
    sweeper = Sweeper([Sweep(unwoken.release, every=3600), Sweep(woken.release, every=3600, woken=True)])
    sweeper.start()
    for _ in range(3):
        assert woken.acquire(timeout=PATIENCE)
        sweeper.wake()
    assert woken.acquire(timeout=PATIENCE)
    sweeper.stop()
    assert unwoken.acquire(blocking=False)
    assert not unwoken.acquire(blocking=False)


class Told:
    """A worker that says of itself what it is told to."""

    def __init__(self) -> None:
        self.alive, self.nudged = True, threading.Semaphore(0)

    def is_alive(self) -> bool:
        return self.alive

    def nudge(self) -> bool:
        self.nudged.release()
        return self.alive


def test_a_worker_that_is_told_does_what_is_woken_and_without_one_it_is_done_here() -> None:
    done, here, worker = threading.Semaphore(0), threading.Semaphore(0), Told()
    sweeps = [Sweep(done.release, every=3600, woken=True), Sweep(here.release, every=3600, woken=True, everywhere=True)]
    sweeper = Sweeper(sweeps, worker)
    sweeper.start()
    assert here.acquire(timeout=PATIENCE)
    sweeper.wake()
    assert worker.nudged.acquire(timeout=PATIENCE)
    assert here.acquire(timeout=PATIENCE)
    assert not done.acquire(blocking=False)
    worker.alive = False
    sweeper.wake()
    assert done.acquire(timeout=PATIENCE)
    sweeper.stop()


def test_whether_its_worker_lives_is_asked_more_seldom_than_what_it_does_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeper_module, "LEFT_SECONDS", 3600)
    asked, done, here, worker = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0), Told()
    monkeypatch.setattr(worker, "is_alive", lambda: asked.release() or worker.alive)
    sweeps = [Sweep(done.release, every=0.01), Sweep(here.release, every=3600, woken=True, everywhere=True)]
    sweeper = Sweeper(sweeps, worker)
    sweeper.start()
    assert here.acquire(timeout=PATIENCE)
    sweeper.wake()
    assert here.acquire(timeout=PATIENCE)
    sweeper.stop()
    assert asked.acquire(blocking=False)
    assert not asked.acquire(blocking=False)
    assert not done.acquire(blocking=False)


def test_a_sweep_that_hangs_does_not_hold_up_the_end() -> None:
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait()

    sweeper = Sweeper([Sweep(hang, every=3600)])
    sweeper.start()
    assert begun.wait(PATIENCE)
    sweeper.stop()  # comes back although the sweep does not
    assert not release.is_set()
    release.set()


def test_without_sweeps_no_thread_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    sweeper = Sweeper([])
    sweeper.start()
    sweeper.stop()
    assert failed == []


def test_a_service_without_tasks_has_nothing_to_sweep() -> None:
    assert declared("gateway") == ()


SERVED = """
import sys, time, types
from importlib.machinery import ModuleSpec
from pathlib import Path
from shopkit import server
from shopkit.sweeper import Sweep

name, folder = sys.argv[1], Path(sys.argv[2])

def mark():
    (folder / f"swept-{time.monotonic_ns()}").touch()

def hang():
    (folder / "hangs").touch()
    time.sleep(60)

tasks = sys.modules[f"{name}.tasks"] = types.ModuleType(f"{name}.tasks")
tasks.__spec__ = ModuleSpec(tasks.__name__, None)
tasks.SWEEPS = (Sweep(mark, every=0.01),) if sys.argv[3] == "mark" else (Sweep(hang, every=0.01),)
server.main([name])
"""


@pytest.mark.parametrize("service", ["gateway", "book_service"])  # a proxy, and one that answers by itself
@pytest.mark.parametrize(("sweep", "sign"), [("mark", "swept-*"), ("hang", "hangs")])
def test_a_running_service_sweeps_and_ends_when_told_whatever_a_sweep_is_at(
    tmp_path: Path, service: str, sweep: str, sign: str
) -> None:
    offset = free_port() - topology.service(service).port
    environment = {**os.environ, "SHOP_DATA": str(tmp_path), "SHOP_PORT_OFFSET": str(offset)}
    command = [sys.executable, "-c", SERVED, service, str(tmp_path), sweep]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        wait_for(lambda: len(list(tmp_path.glob(sign))) >= (3 if sweep == "mark" else 1), seconds=PATIENCE)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
