"""What an order asks of services by way of each other: requests, counted from their metrics."""

import re
import time
from collections import Counter
from collections.abc import Callable

from shopkit import topology
from tests.fleet import Fleet
from tests.waiting import wait_for

COUNTED = 20  # orders whose requests are counted
FORGOTTEN_SECONDS = 65.0  # longer than a rate of shipping is remembered, the longest of what an order asks for
QUIET_SECONDS = 8  # longer than a parcel rests, and than it takes until a customer is told
SHIPPED = "shipping_service POST internal/shipments/"
TOLD = "registered_customer POST internal/customers/<str:customer_id>/orders/"
RATES = "shipping_service POST api/shipments/rates/"
SETTLE_SECONDS = 120


def table(following: Counter[str], alone: Counter[str]) -> None:
    """Of `COUNTED` orders that follow each other, and of one that comes when nothing is remembered."""
    print("\nRequests between services for an order of one line, from being placed until it ships:\n")
    print("| | of orders that follow each other | of one alone |\n|---|---|---|")
    for route in sorted(following.keys() | alone.keys()):
        print(f"| {route} | {following[route] / COUNTED:.1f} | {alone[route]:.1f} |")
    print(f"| in all | {following.total() / COUNTED:.1f} | {alone.total():.1f} |\n")


_REQUESTS = re.compile(r'^shop_requests_total\{method="(\w+)",route="([^"]*)",.*\} ([\d.]+)', re.MULTILINE)


def asked_by(place: Callable[[], object], orders: int, fleet: Fleet) -> Counter[str]:
    """What services ask each other, by route, from when so many orders are placed until they ship and their customers
    know."""
    before = once_quiet(fleet)
    place()
    return wait_for_each(orders, lambda: answered(fleet) - before)


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
            cart = (name, method) == ("cart_service", "GET") and route.startswith("api")
            ours = cart or "internal" in route or f"{name} {method} {route}" == RATES
            if ours and not any(other in route for other in ("shipment-events", "internal/changes")):
                found[f"{name} {method} {route}"] += int(float(count))
    return found
