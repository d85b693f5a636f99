"""`make bench`: two hops side by side with none and with nginx's two, in one run; one hop on its own; its memory.
Then whole orders, and the catalogue at three sizes.

Prints Markdown. Needs nginx and wrk (Debian: `apt-get install nginx-light wrk`).
"""

import argparse
import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import requests

from bench import catalogue, nginx, orders, promises
from bench.load import Run, family, load, resident_mb
from tests.e2e.objects import PICTURE
from tests.fleet import Fleet, running
from tests.people import STAFF, Person, guest, staff
from tests.stores import free_port, listens
from tests.waiting import wait_for

OFFSET = 5000
CONNECTIONS = (1, 16, 64)
SERVICES = ("gateway", "customer_router", "guest_customer", "registered_customer", "items_router", "book_service")
SECURE = {"SHOP_ACCESS": "secure", "SHOP_RATE_LIMIT": "100000000/minute", **STAFF}  # counted, and never too many
Target = tuple[str, dict[str, list[int]]]
"""A URL, and the processes on the way to it by name."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="of load a measurement (4)")
    parser.add_argument("--rounds", type=int, default=3, help="of all measurements; the median counts (3)")
    parser.add_argument("--orders", type=int, default=300, help="a measurement of whole orders (300)")
    given = parser.parse_args()
    for tool in ("wrk", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"bench: there is no {tool}; on Debian or Ubuntu: apt-get install nginx-light wrk")
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, {given.rounds} rounds of {given.seconds} s, the median of each.\n"
    )
    with tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder:
        two_hops(Path(folder), seconds=given.seconds, rounds=given.rounds)
        one_hop(Path(folder), seconds=given.seconds, rounds=given.rounds)
    orders.measure(orders=given.orders)
    catalogue.measure(seconds=given.seconds)
    promises.measure()


def two_hops(folder: Path, *, seconds: int, rounds: int) -> None:
    with fleet_of_books(folder) as fleet, contextlib.ExitStack() as stack:
        inner, inner_process = stack.enter_context(nginx.hop(folder / "inner", to=fleet.port("book_service")))
        outer, outer_process = stack.enter_context(nginx.hop(folder / "outer", to=inner))
        boss, caller = staff(fleet), guest(fleet).session["access"]
        path = f"/api/books/{a_book(boss)}/"
        behind = {name: family(fleet.pid(name)) for name in ("book_service", "mongodb")}
        hops = {name: family(fleet.pid(name)) for name in ("gateway", "items_router")}
        nginx_hops = {"outer nginx": family(outer_process.pid), "inner nginx": family(inner_process.pid)}
        targets: dict[str, Target] = {
            "direct": (f"http://127.0.0.1:{fleet.port('book_service')}{path}", behind),
            "gateway → router": (f"http://127.0.0.1:{fleet.port('gateway')}{path}", {**hops, **behind}),
            "nginx → nginx": (f"http://127.0.0.1:{outer}{path}", {**nginx_hops, **behind}),
        }
        print(f"One book (`GET {path}`), embedded stores, secure access, with a guest's token, limits counted:\n")
        table(compare(targets, seconds=seconds, rounds=rounds, token=caller))
        memory(boss)


def compare(targets: dict[str, Target], *, seconds: int, rounds: int, token: str) -> dict[tuple[str, int], Run]:
    """Each target in turn, round after round, so that whatever else the machine does meets all of them."""
    for url, leaders in targets.values():
        load(url, connections=16, seconds=1, leaders=leaders, token=token)
    runs: dict[tuple[str, int], list[Run]] = {}
    for _ in range(rounds):
        for connections in CONNECTIONS:
            for name, (url, leaders) in targets.items():
                run = load(url, connections=connections, seconds=seconds, leaders=leaders, token=token)
                runs.setdefault((name, connections), []).append(run)
    return {key: median(each) for key, each in runs.items()}


def median(runs: list[Run]) -> Run:
    return Run(
        rps=statistics.median(run.rps for run in runs),
        p50=statistics.median(run.p50 for run in runs),
        p99=statistics.median(run.p99 for run in runs),
        failed=sum(run.failed for run in runs),
        cpu={name: statistics.median(run.cpu[name] for run in runs) for name in runs[0].cpu},
    )


def table(runs: dict[tuple[str, int], Run]) -> None:
    print("| connections | way | rps | of direct | p50 ms | p99 ms | failed | CPU ms a request |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, connections), run in sorted(runs.items(), key=lambda entry: entry[0][1]):
        share = run.rps / runs["direct", connections].rps
        cpu = ", ".join(f"{process} {spent:.3f}" for process, spent in run.cpu.items())
        speed = f"{run.rps:,.0f} | {share:.0%} | {run.p50:.2f} | {run.p99:.2f}"
        print(f"| {connections} | {name} | {speed} | {run.failed} | {cpu} |")
    print()


def one_hop(folder: Path, *, seconds: int, rounds: int) -> None:
    """The gateway alone, before an nginx that answers at once: the hop's own ceiling."""
    port = free_port()
    with nginx.static(folder / "static") as (static, _), gateway_before(static, port, folder) as pids:
        runs = [
            load(f"http://127.0.0.1:{port}/api/carts/x/", connections=16, seconds=seconds, leaders={"hop": pids})
            for _ in range(rounds)
        ]
        run = median(runs)
    print("One hop before a static upstream, 16 connections:\n")
    print("| rps | CPU ms a request | so, on a core of its own | failed |\n|---|---|---|---|")
    print(f"| {run.rps:,.0f} | {run.cpu['hop']:.3f} | {1000 / run.cpu['hop']:,.0f} rps | {run.failed} |\n")


@contextlib.contextmanager
def gateway_before(upstream: int, port: int, folder: Path) -> Iterator[list[int]]:
    """A gateway whose carts are at another port; its processes."""
    env = {
        **os.environ,
        **SECURE,
        "CART_SERVICE_URL": f"http://127.0.0.1:{upstream}",
        "SHOP_PORT_OFFSET": str(port - 8000),
        "SHOP_DATA": str(folder / "hop"),
    }
    with (folder / "hop.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "shopkit.server", "gateway"], env=env, stdout=log, stderr=log)
    try:
        wait_for(lambda: listens(port), seconds=20)
        yield family(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=15)


def memory(boss: Person) -> None:
    """What an upload of 500 KB and a download of 10 MB, 20 times each, add to each hop."""
    book = {"name": "Large", "type": "book", "author": "A", "description": "x", "unknown": "x" * 500_000}
    path = large_picture(boss)
    for what, ask in (
        ("uploads of 500 KB", lambda: boss.post("/api/books/", book)),
        ("downloads of 10 MB", lambda: boss.get(path)),
    ):
        grown = ", ".join(f"{name} {mb:.1f} MB" for name, mb in growth(boss.fleet, ask).items())
        print(f"20 {what} add to a hop's memory: {grown}")
    print()


def growth(fleet: Fleet, ask: Callable[[], requests.Response]) -> dict[str, float]:
    """MB that each hop has grown by after 20 of these calls."""
    hops = {name: family(fleet.pid(name)) for name in ("gateway", "items_router")}
    before = {name: resident_mb(pids) for name, pids in hops.items()}
    for _ in range(20):
        ask().raise_for_status()
    return {name: resident_mb(pids) - before[name] for name, pids in hops.items()}


def large_picture(boss: Person) -> str:
    """The path of a book's picture, whose file has become 10 MB since it was checked."""
    images = f"/api/books/{a_book(boss)}/images/"
    made = boss.post(images, {"image": PICTURE})
    made.raise_for_status()
    [file] = (boss.fleet.data / "media" / "book_service").rglob(made.json()["name"])
    file.write_bytes(os.urandom(10_000_000))
    return f"{images}{made.json()['name']}/"


@contextlib.contextmanager
def fleet_of_books(folder: Path) -> Iterator[Fleet]:
    with running(folder / "data", offset=OFFSET, services=SERVICES, environment=SECURE) as fleet:
        yield fleet


def a_book(boss: Person) -> str:
    body = {"name": "Clean Code", "type": "book", "author": "Robert Martin", "isbn": "9780132350884", "price": "29.99"}
    answer = boss.post("/api/items/", body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _machine() -> str:
    model = "unknown CPU"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
