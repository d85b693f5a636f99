"""The catalogue through the gateway, at 1,000, 10,000 and 100,000 items, and a shop's visitors by locust.

`python -m bench.catalogue`; `make bench` runs it too. Prints Markdown. Bounded in items, connections and time.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import requests

from bench.load import Run, family, load, pss_mb
from fixtures import generate
from shopkit import topology
from tests.fleet import Fleet, running
from tests.waiting import wait_for

OFFSET = 5400
SIZES = (1_000, 10_000, 100_000)
CONNECTIONS = (1, 16, 64)
WAYS = ("gateway", "items_router", "mongodb")
FILL_SECONDS = 900
QUERIES = {
    "first page": "/api/items/?ordering=name",
    "page 50": "/api/items/?ordering=name&page=50",
    "search": "/api/items/?search=lantern",
    "facets": "/api/items/facets/?min_price=20",
    "item": "/api/items/{id}/",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of load a measurement (3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of the catalogue, in items")
    parser.add_argument("--visits", type=int, default=60, help="seconds of locust (60)")
    given = parser.parse_args()
    measure(seconds=given.seconds, sizes=given.sizes, visits=given.visits)


def measure(*, seconds: int, sizes: list[int] | tuple[int, ...] = SIZES, visits: int = 60) -> None:
    for size in sizes:
        with catalogue_of(size) as (fleet, filled):
            print(f"\n{size:,} items, a quarter of each type ({filled}):\n")
            table(fleet, seconds=seconds)
    visit(seconds=visits)


@contextlib.contextmanager
def catalogue_of(size: int) -> Iterator[tuple[Fleet, str]]:
    """A fleet with so many items and nothing else; how long it took to fill, and its memory."""
    with tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder:
        kinds = topology.by_item_type()
        services = ("gateway", "items_router", *(service.name for service in kinds.values()))
        environment = {"SHOP_RATE_LIMIT": "off"}
        with running(Path(folder) / "data", offset=OFFSET, services=services, environment=environment) as fleet:
            began = time.monotonic()
            sample = count(fleet)
            for kind, service in kinds.items():
                fill(fleet, service.name, kind, (size - sample) // len(kinds), Path(folder))
            imported = time.monotonic() - began
            wait_for(lambda: count(fleet) >= size - len(kinds), seconds=FILL_SECONDS)
            seen = time.monotonic() - began
            memory = {name: pss_mb(fleet.workers(name)) for name in ("items_router", "book_service")}
            memory["mongodb"] = pss_mb([fleet.pid("mongodb")])
            told = ", ".join(f"{name} {mb:.0f} MB" for name, mb in memory.items())
            yield fleet, f"imported in {imported:.0f} s, all listed after {seen:.0f} s; {told}"


def count(fleet: Fleet) -> int:
    """How many items the combined list has, each time asked anew."""
    return int(fleet.get(f"/api/items/?page_size=1&asked={time.monotonic_ns()}").json()["count"])


def fill(fleet: Fleet, service: str, kind: str, wanted: int, folder: Path) -> None:
    """Imports the generated items again and again, numbered, until there are as many as are wanted."""
    path = folder / f"{kind}.jsonl"
    with path.open("w") as file:
        for number, item in enumerate(islice(cycle(list(generate.items(kind))), wanted)):
            mine = {name: value for name, value in item.items() if name not in ("id", "type")}
            file.write(json.dumps({**mine, "id": f"{kind}_n{number}", "name": f"{item['name']} {number}"}) + "\n")
    done = subprocess.run(
        [sys.executable, "manage.py", service, "import_items", str(path)],
        env={**fleet.environment, "MONGO_URL": mongo_url(fleet)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"bench: {service} did not take its items: {done.stderr[-500:]}")


def mongo_url(fleet: Fleet) -> str:
    return f"mongodb://127.0.0.1:{8027 + fleet.offset}"


def table(fleet: Fleet, *, seconds: int) -> None:
    leaders = {name: family(fleet.pid(name)) for name in WAYS}
    item = fleet.get("/api/items/?ordering=name").json()["results"][0]["id"]
    print("| | connections | rps | p50 ms | p99 ms | failed | CPU ms a request |\n|---|---|---|---|---|---|---|")
    for name, path in QUERIES.items():
        url = fleet.url().replace("localhost", "127.0.0.1") + path.format(id=item)
        for cached in (False, True):
            for connections in CONNECTIONS:
                requests.get(url, timeout=30)  # so that what is cached is so from the first request on
                run = load(url, connections=connections, seconds=seconds, leaders=leaders, vary=not cached)
                print(_row(f"{name}, {'cached' if cached else 'not cached'}", connections, run), flush=True)


def _row(name: str, connections: int, run: Run) -> str:
    cpu = ", ".join(f"{process} {spent:.3f}" for process, spent in run.cpu.items() if spent >= 0.0005)
    return f"| {name} | {connections} | {run.rps:,.0f} | {run.p50:.2f} | {run.p99:.2f} | {run.failed} | {cpu} |"


def visit(*, seconds: int) -> None:
    """A hundred visitors by locust, on a whole fleet with its sample data, in secure access."""
    environment = {"SHOP_ACCESS": "secure", "SHOP_RATE_LIMIT": "off", "SHOP_AUTH_RATE_LIMIT": "off"}
    with (
        tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder,
        running(Path(folder) / "data", offset=OFFSET, environment=environment) as fleet,
    ):
        rows = visited(fleet, seconds)
    requests = sum(row["num_requests"] for row in rows)
    failures = sum(row["num_failures"] for row in rows)
    print(f"\n100 visitors for {seconds} s by locust (`bench/locustfile.py`), secure access, sample data:\n")
    print("| requests/s | average ms | 95th percentile ms | slowest ms | failed |\n|---|---|---|---|---|")
    average = sum(row["total_response_time"] for row in rows) / requests
    slowest = max(row["max_response_time"] for row in rows)
    rate = requests / (max(row["last_request_timestamp"] for row in rows) - min(row["start_time"] for row in rows))
    print(f"| {rate:.0f} | {average:.0f} | {percentile(rows, 0.95):.0f} | {slowest:.0f} | {failures} of {requests} |\n")
    print("| call | requests | average ms | p50 ms | p95 ms |\n|---|---|---|---|---|")
    for row in sorted(rows, key=lambda each: str(each["name"])):
        mean = row["total_response_time"] / max(1, row["num_requests"])
        half, most = percentile([row], 0.5), percentile([row], 0.95)
        print(f"| {row['name']} | {row['num_requests']} | {mean:.0f} | {half:.0f} | {most:.0f} |")
    print()


def visited(fleet: Fleet, seconds: int) -> list[dict[str, Any]]:
    """Locust's own counts, a row for each call."""
    host = fleet.url().replace("localhost", "127.0.0.1")
    command = [sys.executable, "-m", "locust", "-f", "bench/locustfile.py", "--host", host, "--headless"]
    command += ["-u", "100", "-r", "10", "-t", f"{seconds}s", "--json", "--loglevel", "ERROR"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 120)
    if not done.stdout.strip():
        sys.exit(f"bench: locust said nothing: {done.stderr[-500:]}")
    return list(json.loads(done.stdout))


def percentile(rows: list[dict[str, Any]], share: float) -> float:
    """Of locust's counts of rounded milliseconds, over several calls."""
    counts: dict[float, int] = {}
    for row in rows:
        for took, number in row["response_times"].items():
            counts[float(took)] = counts.get(float(took), 0) + number
    left = share * sum(counts.values())
    for took in sorted(counts):
        left -= counts[took]
        if left <= 0:
            return took
    return 0.0


if __name__ == "__main__":
    main()
