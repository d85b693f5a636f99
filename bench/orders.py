"""Whole orders through the gateway: a cart, a line, an order with its address and payment, until it is paid and ships.

`python -m bench.orders`; `make bench` runs it too. Prints Markdown. Bounded in orders and in time.
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import urllib3

from bench import calls
from bench.load import cpu_seconds, family
from tests import stores
from tests.fleet import Fleet, running
from tests.people import ADDRESS
from tests.waiting import wait_for

OFFSET = 5200
CLIENTS = (16, 64)
WAITING = ("pending", "reserved", "authorised", "paid")
ENDED = {"fulfilling", "shipped", "delivered", "cancelled", "expired", "payment_failed"}
PAYMENT = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
SETTLE_SECONDS = 120
SCARCE = 10
NO_WEBHOOKS = {"SHOP_SIMULATED_LOST": "1"}  # the simulated provider's own work is not ours to count


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
        took, turns = Took(), self.turns(items, orders)
        with ThreadPoolExecutor(self.clients) as pool:
            placed = pool.map(lambda turn: self.buy(*turn, took), turns)
            return took, [order for order in placed if order]

    def fill_many(self, items: list[str], carts: int) -> float:
        """How many carts a second get a line and are ordered by nobody."""
        turns, start = self.turns(items, carts), time.monotonic()
        with ThreadPoolExecutor(self.clients) as pool:
            made = len(list(pool.map(lambda turn: self.fill(*turn, Took()), turns)))
        return made / (time.monotonic() - start)

    def turns(self, items: list[str], number: int) -> list[tuple[str, str]]:
        """Who buys what, one after the other."""
        users = customers(self.fleet)
        return [(items[turn % len(items)], users[turn % len(users)]) for turn in range(number)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=300, help="a measurement (300)")
    given = parser.parse_args()
    measure(orders=given.orders)


def measure(*, orders: int) -> None:
    print(f"Whole orders, {orders} a measurement; each is a cart, a line, an order with address and payment.")
    print("The simulated provider sends no webhooks.\n")
    print(f"| stores | clients | {' | '.join(_COLUMNS)} |\n|{'---|' * (len(_COLUMNS) + 2)}")
    exact, warm, cold = [], Counter[str](), Counter[str]()
    for name, fleet_on in (("embedded", embedded), ("PostgreSQL, MariaDB", on_servers)):
        with fleet_on() as fleet:
            item, others = a_book(fleet, stock=SCARCE), waiting(fleet)
            Buyers(fleet, 16).buy_many([a_book(fleet, stock=100)], 50)
            settle(fleet, others)
            for clients in CLIENTS:
                row(name, clients, fleet, orders, others)
            exact.append((name, *oversold(fleet, item, others)))
            warm, cold = requests(fleet, calls.COUNTED), requests(fleet, 1, rest=calls.FORGOTTEN_SECONDS)
    print()
    for name, sold, left in exact:
        print(f"Of 60 buyers for {SCARCE} pieces, on {name}: {sold} sold, {left} left.")
    calls.table(warm, cold)


_COLUMNS = (
    "carts alone/s",
    "paid orders/s",
    "placed/s",
    "cart p50/p99 ms",
    "line p50/p99 ms",
    "placing p50/p99 ms",
    "paid after p50/p99 s",
    "CPU ms an order",
)


def row(name: str, clients: int, fleet: Fleet, orders: int, others: Counter[str]) -> None:
    items = [a_book(fleet, stock=orders) for _ in range(10)]
    alone = Buyers(fleet, clients).fill_many(items, orders)
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
    rates = f"{alone:.1f} | {orders / paid:.1f} | {orders / placing:.1f}"
    waits = _percentiles([until_paid(fleet, order) for order in placed])
    print(f"| {name} | {clients} | {rates} | {speeds} | {waits} | {cpu_each:.0f} |", flush=True)


def _percentiles(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} / {statistics.quantiles(times, n=100)[98]:.0f}"


def until_paid(fleet: Fleet, order: str) -> float:
    """The whole seconds from when an order was placed until its money was taken: its timeline shows no others."""
    steps = fleet.get(f"/api/orders/{order}/timeline/", at="order_service").json()["results"]
    at = {step["name"]: datetime.fromisoformat(step["at"]) for step in steps}
    return (at["capture"] - at["placed"]).total_seconds()


def oversold(fleet: Fleet, item: str, others: Counter[str]) -> tuple[int, int]:
    """Sixty buyers for ten: how many got one, and how many are left."""
    _, placed = Buyers(fleet, 16).buy_many([item], 60)
    settle(fleet, others)
    return ends(fleet, placed)["paid"], fleet.get(f"/api/books/{item}/", at="book_service").json()["stock"]


def ends(fleet: Fleet, placed: list[str]) -> Counter[str]:
    """How many ended how: paid and on their way, or the status that ended them."""
    found = (fleet.get(f"/api/orders/{order}/").json()["status"] for order in placed)
    return Counter("paid" if each in ("fulfilling", "shipped", "delivered") else each for each in found)


def settle(fleet: Fleet, others: Counter[str]) -> None:
    """Waits until no more orders are on their way to be paid than those `others` of the sample data, which stay so."""
    for status in WAITING:  # in the order in which they come to them, so that one question at a time will do
        wait_for(partial(_are_past, fleet, status, others[status]), seconds=SETTLE_SECONDS)


def _are_past(fleet: Fleet, status: str, others: int) -> bool:
    if _with(fleet, status) <= others:
        return True
    time.sleep(0.2)  # so that asking costs little
    return False


def waiting(fleet: Fleet) -> Counter[str]:
    """Orders on their way to be paid, by how far they are."""
    return Counter({status: _with(fleet, status) for status in WAITING})


def _with(fleet: Fleet, status: str) -> int:
    found = fleet.get(f"/api/orders/?status={status}&page_size=1", at="order_service")
    return int(found.json()["count"])


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


def requests(fleet: Fleet, orders: int, *, rest: float = 0) -> Counter[str]:
    """What so many orders ask of services, placed one after the other, some seconds after their carts were filled."""
    buyers, item, user = Buyers(fleet, 4), a_book(fleet, stock=orders), customers(fleet)[0]
    carts = [buyers.fill(item, user, Took()) for _ in range(orders)]
    time.sleep(rest)
    return calls.asked_by(lambda: [buyers.place(cart, user, Took()) for cart in carts], orders, fleet)


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
