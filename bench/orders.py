"""Whole orders through the gateway: a cart, a line, an order with its address and payment, until it is paid and ships.

`python -m bench.orders`; `make bench` runs it too. Prints Markdown. Bounded in orders and in time.
"""

import argparse
import contextlib
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from bench.load import cpu_seconds, family
from shopkit import topology
from tests import stores
from tests.fleet import Fleet, running
from tests.people import ADDRESS
from tests.waiting import wait_for

OFFSET = 5200
CLIENTS = (16, 64)
ENDED = {"fulfilling", "shipped", "delivered", "cancelled", "expired", "payment_failed"}
PAYMENT = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
SETTLE_SECONDS = 120
SCARCE = 10
NO_WEBHOOKS = {"SHOP_SIMULATED_LOST": "1"}  # the simulated provider's own work is not ours to count
COUNTED = 20  # orders whose requests are counted
QUIET_SECONDS = 8  # longer than a parcel rests, and than it takes until a customer is told
SHIPPED = "shipping_service POST internal/shipments/"
TOLD = "registered_customer POST internal/customers/<str:customer_id>/orders/"


@dataclass
class Took:
    """Milliseconds that each call took, by what it does."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"cart": [], "line": [], "order": []})

    def call(self, name: str, ask: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        answer = ask()
        self.times[name].append((time.perf_counter() - start) * 1000)
        return answer


class Buyers:
    """So many customers at once, over kept-alive connections."""

    def __init__(self, fleet: Fleet, clients: int) -> None:
        self.clients, self.fleet = clients, fleet
        self.pool = urllib3.PoolManager(maxsize=clients, block=True, retries=False, timeout=30)

    def ask(self, method: str, path: str, body: Any, user: str) -> urllib3.BaseHTTPResponse:
        headers = {"X-User-ID": user, "X-Customer-Type": "registered", "Content-Type": "application/json"}
        return self.pool.request(method, self.fleet.url() + path, body=json.dumps(body), headers=headers)

    def buy(self, item: str, user: str, took: Took) -> str | None:
        return self.place(self.fill(item, user, took), user, took)

    def fill(self, item: str, user: str, took: Took) -> str:
        """The id of a cart with one piece in it."""
        cart = took.call("cart", lambda: self.ask("POST", "/api/carts/", {}, user)).json()["id"]
        line = {"item_id": item, "quantity": 1}
        took.call("line", lambda: self.ask("POST", f"/api/carts/{cart}/items/", line, user))
        return str(cart)

    def place(self, cart: str, user: str, took: Took) -> str | None:
        """The id of the order that was placed; None when it was too late for the last piece."""
        wish = {"cart_id": cart, "shipping_address": ADDRESS, "shipping_method": "standard", "payment": PAYMENT}
        placed = took.call("order", lambda: self.ask("POST", "/api/orders/", wish, user))
        if placed.status == 409 and placed.json()["code"] in ("out_of_stock", "empty_cart"):
            return None
        if placed.status != 201:
            raise RuntimeError(f"an order was not taken: {placed.status} {placed.data.decode()[:300]}")
        return str(placed.json()["id"])

    def buy_many(self, items: list[str], orders: int) -> tuple[Took, list[str]]:
        took = Took()
        with ThreadPoolExecutor(self.clients) as pool:
            users = customers(self.fleet)
            turns = [(items[turn % len(items)], users[turn % len(users)]) for turn in range(orders)]
            placed = pool.map(lambda turn: self.buy(*turn, took), turns)
            return took, [order for order in placed if order]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=300, help="a measurement (300)")
    given = parser.parse_args()
    measure(orders=given.orders)


def measure(*, orders: int) -> None:
    print(f"Whole orders, {orders} a measurement; each is a cart, a line, an order with address and payment.")
    print("The simulated provider sends no webhooks.\n")
    print(f"| stores | clients | {' | '.join(_COLUMNS)} |\n|{'---|' * (len(_COLUMNS) + 2)}")
    exact, asked = [], Counter[str]()
    for name, fleet_on in (("embedded", embedded), ("PostgreSQL, MariaDB", on_servers)):
        with fleet_on() as fleet:
            item, others = a_book(fleet, stock=SCARCE), waiting(fleet)
            Buyers(fleet, 16).buy_many([a_book(fleet, stock=100)], 50)
            settle(fleet, others)
            for clients in CLIENTS:
                row(name, clients, fleet, orders, others)
            exact.append((name, *oversold(fleet, item, others)))
            asked = requests_an_order(fleet)
    print()
    for name, sold, left in exact:
        print(f"Of 60 buyers for {SCARCE} pieces, on {name}: {sold} sold, {left} left.")
    each = sum(asked.values()) / COUNTED
    print(f"\nAn order of one line takes {each:.1f} requests between services, from being placed until it ships:\n")
    for route, count in sorted(asked.items()):
        print(f"- {count / COUNTED:.1f} {route}")
    print()


_COLUMNS = ("paid orders/s", "placed/s", "cart p50/p99 ms", "line p50/p99 ms", "placing p50/p99 ms", "CPU ms an order")


def row(name: str, clients: int, fleet: Fleet, orders: int, others: int) -> None:
    items = [a_book(fleet, stock=orders) for _ in range(10)]
    cpu, start = fleet_cpu(fleet), time.monotonic()
    took, placed = Buyers(fleet, clients).buy_many(items, orders)
    placing = time.monotonic() - start
    settle(fleet, others)
    paid = time.monotonic() - start
    cpu_each = (fleet_cpu(fleet) - cpu) * 1000 / orders
    ended = ends(fleet, placed)
    if set(ended) != {"paid"}:
        sys.exit(f"bench: not every order was paid: {ended}")
    speeds = " | ".join(_percentiles(took.times[each]) for each in ("cart", "line", "order"))
    rates = f"{orders / paid:.1f} | {orders / placing:.1f}"
    print(f"| {name} | {clients} | {rates} | {speeds} | {cpu_each:.0f} |", flush=True)


def _percentiles(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} / {statistics.quantiles(times, n=100)[98]:.0f}"


def oversold(fleet: Fleet, item: str, others: int) -> tuple[int, int]:
    """Sixty buyers for ten: how many got one, and how many are left."""
    _, placed = Buyers(fleet, 16).buy_many([item], 60)
    settle(fleet, others)
    return ends(fleet, placed)["paid"], fleet.get(f"/api/books/{item}/", at="book_service").json()["stock"]


def ends(fleet: Fleet, placed: list[str]) -> Counter[str]:
    """How many ended how: paid and on their way, or the status that ended them."""
    found = (fleet.get(f"/api/orders/{order}/").json()["status"] for order in placed)
    return Counter("paid" if each in ("fulfilling", "shipped", "delivered") else each for each in found)


def settle(fleet: Fleet, others: int) -> None:
    """Waits until no more orders are on their way to be paid than those `others` of the sample data, which stay so."""
    wait_for(lambda: waiting(fleet) <= others, seconds=SETTLE_SECONDS)


def waiting(fleet: Fleet) -> int:
    """Orders that are on their way to be paid."""
    time.sleep(0.2)  # so that asking costs little
    return sum(
        fleet.get(f"/api/orders/?status={status}&page_size=1", at="order_service").json()["count"]
        for status in ("pending", "reserved", "authorised", "paid")
    )


def customers(fleet: Fleet) -> list[str]:
    """The registered ones of the sample data."""
    found = fleet.get("/api/registered-customer/?page_size=100").json()["results"]
    return [str(each["id"]) for each in found]


def a_book(fleet: Fleet, *, stock: int) -> str:
    body = {"name": "Clean Code", "author": "Robert Martin", "price": "29.99", "stock": stock}
    return str(fleet.call("POST", "/api/books/", json=body).json()["id"])


def fleet_cpu(fleet: Fleet) -> float:
    """Seconds of CPU so far, of services, workers and the stores that the fleet itself runs; no other server counts."""
    return sum(cpu_seconds(family(fleet.pid(name))) for name in fleet.names())


_REQUESTS = re.compile(r'^shop_requests_total\{method="(\w+)",route="([^"]*)",.*\} ([\d.]+)', re.MULTILINE)


def requests_an_order(fleet: Fleet, orders: int = COUNTED) -> Counter[str]:
    """From placing an order until it ships and its customer knows: what services asked each other, by route."""
    buyers, item = Buyers(fleet, 4), a_book(fleet, stock=orders)
    user = customers(fleet)[0]
    carts = [buyers.fill(item, user, Took()) for _ in range(orders)]
    before = once_quiet(fleet)
    for cart in carts:
        buyers.place(cart, user, Took())
    told = wait_for_each(orders, lambda: answered(fleet) - before)
    return Counter({key: count for key, count in told.items() if count >= orders})


def once_quiet(fleet: Fleet) -> Counter[str]:
    """What was asked so far, once nobody asks any more: the last parcels have arrived, and their customers know."""
    last, since = answered(fleet), time.monotonic()

    def quiet() -> bool:
        nonlocal last, since
        if (now := answered(fleet)) != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > QUIET_SECONDS

    wait_for(quiet, seconds=SETTLE_SECONDS)
    return last


def wait_for_each(orders: int, asked: Callable[[], Counter[str]]) -> Counter[str]:
    """What was asked, as soon as each order has shipped and been told of; that it is picked up is told of later."""
    found = list[Counter[str]]()

    def each() -> bool:
        found.append(asked())
        return all(found[-1][route] >= orders for route in (SHIPPED, TOLD))

    wait_for(each, seconds=SETTLE_SECONDS)
    return found[-1]


def answered(fleet: Fleet) -> Counter[str]:
    """How often each route was asked by another service, so far; the news of a parcel on its way are no part of it, nor
    is what the catalogue hears of items."""
    found: Counter[str] = Counter()
    for name in topology.SERVICES:
        for method, route, count in _REQUESTS.findall(fleet.get("/metrics", at=name).text):
            ours = "internal" in route or ((name, method) == ("cart_service", "GET") and route.startswith("api"))
            if ours and not any(other in route for other in ("shipment-events", "internal/changes")):
                found[f"{name} {method} {route}"] += int(float(count))
    return found


@contextlib.contextmanager
def embedded() -> Iterator[Fleet]:
    with (
        tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder,
        running(Path(folder) / "data", offset=OFFSET, environment=NO_WEBHOOKS) as fleet,
    ):
        yield fleet


@contextlib.contextmanager
def on_servers() -> Iterator[Fleet]:
    with (
        tempfile.TemporaryDirectory(prefix="polyshop-bench-") as folder,
        stores.servers(Path(folder), prefix="bench_") as environment,
        running(Path(folder) / "data", offset=OFFSET, environment=environment | NO_WEBHOOKS) as fleet,
    ):
        yield fleet


if __name__ == "__main__":
    main()
