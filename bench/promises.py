"""How long a fleet takes to start, to start again what was killed, and to end. `python -m bench.promises`; Markdown."""

import os
import signal
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import requests

from shopkit import topology
from tests.fleet import Fleet, running
from tests.waiting import wait_for

OFFSET = 5400
ROUNDS = 5
KILLED = ("gateway", "items_router", "book_service", "cart_service", "order_service_worker", "mongodb", "redis")


def measure() -> None:
    print("A fleet with workers and sample data, on embedded stores; seconds.\n")
    print("| what | times | median | longest |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder:
        data = Path(folder) / "data"
        (first, _), *again = [_start_and_end(data) for _ in range(1 + ROUNDS)]
        row("first start, until all is ready and loaded", [first])
        row("start again", [start for start, _ in again])
        row("Ctrl-C, until no process is left", [end for _, end in again])
        with running(data, offset=OFFSET) as fleet:
            for name in KILLED:
                row(f"{name}, from kill -9 until it is there again", [_restart(fleet, name) for _ in range(ROUNDS)])
    print()


def row(what: str, times: list[float]) -> None:
    print(f"| {what} | {len(times)} | {statistics.median(times):.1f} | {max(times):.1f} |", flush=True)


def _start_and_end(data: Path) -> tuple[float, float]:
    start = time.monotonic()
    with running(data, offset=OFFSET) as fleet:
        ready = time.monotonic()
        fleet.interrupt()
        return ready - start, time.monotonic() - ready


def _restart(fleet: Fleet, name: str) -> float:
    """A service is there when it answers, a store or a worker when its successor runs.

    One that dies again and again, as here, is started again after a pause, twice as long each time.
    """
    before = fleet.pid(name)
    start = time.monotonic()
    os.killpg(before, signal.SIGKILL)
    wait_for(lambda: fleet.pid(name) != before and _is_there(fleet, name))
    return time.monotonic() - start


def _is_there(fleet: Fleet, name: str) -> bool:
    if name not in topology.SERVICES:
        return os.getpgid(pid := fleet.pid(name)) == pid  # it has begun, in a session of its own
    with suppress(requests.RequestException):
        return fleet.get("/health/live", at=name, timeout=1).ok
    return False


if __name__ == "__main__":
    measure()
