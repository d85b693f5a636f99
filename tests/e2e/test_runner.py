"""The runner as people meet it: it ends when told, says in one sentence what it can't do, and leaves nothing behind."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shopkit import topology
from shopkit.config import ROOT
from tests.fleet import Fleet, environment_of, processes_on, runner, running
from tests.waiting import at_most, wait_for

END_SECONDS = 10.0
FEW = ("gateway", "items_router", "book_service")
BOOK = {"type": "book", "name": "Kept", "author": "A. Nonymous", "isbn": "9780132350884"}


def _refuses(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One sentence on the error output, which says these words, and an exit code that says so too."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def _run(data: Path, offset: int, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run that is expected to end by itself."""
    return runner("run", *(names or FEW), environment=environment_of(data, offset, environment))


def _is_gone(fleet: Fleet) -> None:
    assert processes_on(fleet.data) == []
    for port in [fleet.port(name) for name in FEW]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


# -- the end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_within_ten_seconds(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "data", offset=1200, services=FEW) as fleet:
        assert len(processes_on(fleet.data)) > len(FEW)
        held = requests.Session()
        held.get(fleet.url() + "/health/live", timeout=5)  # a client that stays connected holds nothing up
        start = time.monotonic()
        fleet.process.send_signal(number)
        assert fleet.process.wait(timeout=60) == 0
        assert time.monotonic() - start < at_most(END_SECONDS)
        _is_gone(fleet)
        assert "Traceback" not in fleet.output.read_text()


def test_it_ends_in_time_even_if_a_service_hangs(tmp_path: Path) -> None:
    with running(tmp_path / "data", offset=1200, services=FEW) as fleet:
        os.killpg(fleet.pid("book_service"), signal.SIGSTOP)
        start = time.monotonic()
        fleet.process.send_signal(signal.SIGINT)
        assert fleet.process.wait(timeout=60) == 0
        assert time.monotonic() - start < at_most(END_SECONDS)
        _is_gone(fleet)


@contextlib.contextmanager
def _starting(data: Path, offset: int, said: str, *names: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A run that has come as far as to say something."""
    data.mkdir(parents=True)
    output = data / "runner.log"
    with output.open("wb") as log:
        command = [sys.executable, "-m", "shopkit.runner", "run", *names]
        process = subprocess.Popen(command, cwd=ROOT, env=environment_of(data, offset), stdout=log, stderr=log)
    try:
        wait_for(lambda: said in output.read_text())
        yield process, output
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("said", ["Polyshop starts", "mongodb is ready", "book_service is ready", "Loading the sample"])
def test_ctrl_c_while_it_starts_ends_everything_too(tmp_path: Path, said: str) -> None:
    data = tmp_path / "data"
    with _starting(data, 1200, said, *(() if "Loading" in said else FEW)) as (process, output):
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert time.monotonic() - start < at_most(END_SECONDS)
        assert processes_on(data) == []
        assert "Traceback" not in output.read_text()


def test_a_runner_that_is_killed_takes_all_it_started_with_it(tmp_path: Path) -> None:
    with running(tmp_path / "data", offset=1200, services=FEW) as fleet:
        fleet.process.kill()
        fleet.process.wait()
        wait_for(lambda: not processes_on(fleet.data), seconds=at_most(END_SECONDS))
        _is_gone(fleet)


def test_data_outlives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "data", offset=1200, services=(*FEW, "cart_service")) as fleet:
        book = fleet.call("POST", "/api/items/", json=BOOK)
        cart = fleet.call("POST", "/api/carts/", json={})
        assert (book.status_code, cart.status_code) == (201, 201)
    with running(tmp_path / "data", offset=1200, services=(*FEW, "cart_service")) as fleet:
        assert fleet.get(f"/api/items/{book.json()['id']}/").json() == book.json()
        assert fleet.get(f"/api/carts/{cart.json()['id']}/").json()["id"] == cart.json()["id"]


# -- what it can't do


def test_a_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    port = topology.service("book_service").port + 1300
    with socket.create_server(("127.0.0.1", port)):
        _refuses(_run(tmp_path / "data", 1300), str(port), "book_service", "SHOP_PORT_OFFSET")
    assert processes_on(tmp_path / "data") == []


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence() -> None:
    for command in ("run", "status", "stop", "reset"):
        done = runner(command, environment=environment_of(Path("/dev/null/data"), 1300))
        assert "Traceback" not in done.stderr, command
    _refuses(_run(Path("/dev/null/data"), 1300), "/dev/null/data", "SHOP_DATA")


def test_a_name_that_is_no_service_is_said_in_a_sentence(tmp_path: Path) -> None:
    _refuses(_run(tmp_path / "data", 1300, "bok_service"), "bok_service", "book_service")


@pytest.mark.parametrize("offset", ["many", "60000", "-9000", "1.5"])
def test_an_offset_that_is_none_is_said_in_a_sentence(tmp_path: Path, offset: str) -> None:
    environment = environment_of(tmp_path / "data", 0) | {"SHOP_PORT_OFFSET": offset}
    _refuses(runner("run", *FEW, environment=environment), "SHOP_PORT_OFFSET")


def test_open_access_for_everyone_is_refused(tmp_path: Path) -> None:
    done = _run(tmp_path / "data", 1300, SHOP_ACCESS="open", SHOP_BIND="0.0.0.0")
    _refuses(done, "SHOP_ACCESS", "SHOP_BIND", "0.0.0.0")


@pytest.mark.parametrize("secret", ["", "short", "x" * 49])
def test_production_without_a_secret_is_refused(tmp_path: Path, secret: str) -> None:
    done = _run(tmp_path / "data", 1300, SHOP_ENV="production", SECRET_KEY=secret)
    _refuses(done, "SECRET_KEY", "50")
    assert not secret or secret not in done.stderr


def test_production_with_open_access_or_any_host_is_refused(tmp_path: Path) -> None:
    production = {"SHOP_ENV": "production", "SECRET_KEY": "0123456789" * 6}
    _refuses(_run(tmp_path / "data", 1300, **production, SHOP_ACCESS="open"), "SHOP_ACCESS")
    _refuses(_run(tmp_path / "data", 1300, **production, ALLOWED_HOSTS="*"), "ALLOWED_HOSTS")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://nobody:hidden-word@127.0.0.1:1/none", "refused"),
        ("nonsense", "postgresql"),
        ("sqlite:////dev/null/none.sqlite3", "/dev/null"),
    ],
)
def test_a_service_that_cannot_start_is_named_with_the_reason(tmp_path: Path, url: str, why: str) -> None:
    data = tmp_path / "data"
    done = _run(data, 1300, "gateway", "cart_service", CART_SERVICE_DATABASE_URL=url)
    assert done.returncode != 0
    assert "cart_service did not start" in done.stderr
    assert why in done.stderr
    assert "hidden-word" not in done.stderr
    assert processes_on(data) == []


# -- its other commands


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running(tmp_path_factory.mktemp("runner") / "data", offset=1400, services=FEW) as fleet:
        yield fleet


def test_a_second_one_on_the_same_folder_is_refused(few: Fleet) -> None:
    _refuses(few.runner("run", *FEW), str(few.data), "make stop")
    assert few.get("/health/live").ok


def test_another_fleet_may_run_beside_it(few: Fleet, tmp_path: Path) -> None:
    with running(tmp_path / "data", offset=1500, services=FEW) as other:
        made = other.call("POST", "/api/items/", json=BOOK).json()
        assert other.get(f"/api/items/{made['id']}/").ok
        assert few.get(f"/api/items/{made['id']}/").status_code == 404
    assert few.get("/health/live").ok


def test_status_names_each_process_with_its_port_and_memory(few: Fleet) -> None:
    done = few.runner("status")
    assert done.returncode == 0
    for name in (*FEW, "mongodb"):
        assert re.search(rf"^  {name} +pid {few.pid(name)} +port \d+ +\d+\.\d MB$", done.stdout, re.MULTILINE)
    assert re.search(r"in all +\d+\.\d MB", done.stdout)


def test_logs_follows_the_logs_that_are_asked_for(few: Fleet) -> None:
    command = [sys.executable, "-m", "shopkit.runner", "logs", "book_service"]
    following = subprocess.Popen(command, cwd=ROOT, env=few.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert following.stdout
        few.get("/api/books/", headers={"X-Request-ID": "followed"})
        line = next(line for line in following.stdout if "followed" in line)
        assert '"service": "book_service"' in line
    finally:
        following.kill()
        following.wait()


def test_reset_is_refused_while_it_runs(few: Fleet) -> None:
    _refuses(few.runner("reset"), "make stop")
    assert few.get("/health/ready", at="book_service").ok


def test_stop_ends_it_and_reset_then_deletes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, offset=1200, services=(*FEW, "cart_service")) as fleet:
        item = fleet.call("POST", "/api/items/", json=BOOK).json()["id"]
        assert fleet.runner("stop").returncode == 0
        assert fleet.process.wait(timeout=20) == 0
        _is_gone(fleet)
    (data / "mine.txt").write_text("mine")
    (data / "folder").mkdir()
    (data / "folder" / "mine.sqlite3").write_text("mine")
    assert fleet.runner("reset").returncode == 0
    assert {path.name for path in data.iterdir()} == {"mine.txt", "folder", "runner.log"}
    assert (data / "folder" / "mine.sqlite3").read_text() == "mine"
    with running(data, offset=1200, services=FEW) as fleet:
        assert fleet.get(f"/api/items/{item}/").status_code == 404


def test_the_other_commands_say_so_when_nothing_runs(tmp_path: Path) -> None:
    environment = environment_of(tmp_path / "data", 1300)
    _refuses(runner("status", environment=environment), "No fleet", "make run")
    assert "No fleet" in runner("stop", environment=environment).stdout
    _refuses(runner("logs", environment=environment), "make run")


# -- secure access


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    services = (*FEW, "customer_router", "guest_customer", "vip_customer", "order_service")
    data = tmp_path_factory.mktemp("secure") / "data"
    with running(data, offset=1600, services=services, environment={"SHOP_ACCESS": "secure"}) as fleet:
        yield fleet


FORGED = (
    {},
    {"X-User-ID": "456", "X-Customer-Type": "vip"},
    {"X-User-ID": "1", "X-User-Role": "staff", "X-Staff": "true", "X-Service": "order_service"},
    {"X_User_ID": "456", "X.User.ID": "456", "x-user_id": "456", "X-Customer-Type": "vip"},
)
DOORS = (("gateway", "gateway", "gateway"), ("items_router", "customer_router", "order_service"))
DOORS += (("book_service", "vip_customer", "order_service"),)


@pytest.mark.parametrize("headers", FORGED, ids=["none", "a customer", "staff", "in disguise"])
@pytest.mark.parametrize("doors", DOORS, ids=lambda doors: doors[0])
def test_in_secure_access_no_header_makes_anybody_somebody(
    locked: Fleet, doors: tuple[str, str, str], headers: dict[str, str]
) -> None:
    items, customers, orders = doors
    asked = [
        locked.call("POST", "/api/books/", at=items, headers=headers, json=BOOK),
        locked.get("/api/vip-customer/", at=customers, headers=headers),
        locked.get("/api/vip-customer/456/", at=customers, headers=headers),
        locked.get("/api/orders/", at=orders, headers=headers),
    ]
    for answer in asked:
        assert answer.status_code in (401, 403, 404), answer.url
        assert answer.json()["request_id"]
    assert asked[0].status_code in (401, 403)
    assert locked.get("/api/books/", at=items, headers=headers).json()["count"] == 0


def test_in_secure_access_what_is_public_stays_so(locked: Fleet) -> None:
    for path in ("/api/items/", "/api/books/", "/api/collections/", "/api/schema/", "/docs/", "/health/live"):
        assert locked.get(path).status_code == 200, path


# -- make


def _make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_make_help_lists_every_target() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    for arguments in ((), ("help",)):
        done = _make(*arguments)
        assert done.returncode == 0
        for target in targets[1].split():
            assert re.search(rf"^  make {target} +\S", done.stdout, re.MULTILINE), target


@pytest.mark.parametrize("target", ["run", "test", "status"])
def test_make_without_python_says_what_is_missing(tmp_path: Path, target: str) -> None:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = _make("--no-print-directory", target, "PYTHON=/nonexistent", cwd=tmp_path)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "***" not in line]
    assert len(said) == 1
    assert "Python 3.11" in said[0]
    assert "/nonexistent" in said[0]
    assert not (tmp_path / ".venv").exists()
