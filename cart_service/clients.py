"""What carts ask of the item services, each for its own, and of the customer router."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog

from shopkit import http, topology
from shopkit.errors import ShopError
from shopkit.topology import Service

SEEN = 1000  # items that are remembered
SECONDS = 2.0  # that each may take: a cart is shown without them, rather than late
log = structlog.get_logger()


@dataclass(frozen=True)
class Item:
    """An item as it is sold now: `price` in minor units, None while it is not for sale; `stock` free to sell.

    `weight_g` is None where its type has none.
    """

    id: str
    type: str
    name: str
    price: int | None
    currency: str
    stock: int
    weight_g: int | None


@dataclass(frozen=True)
class Perks:
    """What a VIP's cart gets by itself: so many percent off, and the shipping methods that cost nothing."""

    tier: str = ""
    percent: int = 0
    free_shipping: tuple[str, ...] = ()


_seen: dict[str, tuple[Item | None, float]] = {}


def items(*, ids: Iterable[str], age: float = 0.0) -> dict[str, Item | None]:
    """Id → the item, None where there is no such item; those that nobody can say anything of are left out.

    As they are, or were at most `age` seconds ago.
    """
    wanted, oldest = set(ids), time.monotonic() - age
    known = {each: _seen[each][0] for each in wanted if age and each in _seen and _seen[each][1] >= oldest}
    found = _asked(sorted(wanted - known.keys()))
    if len(_seen) > SEEN:
        _seen.clear()
    _seen.update({each: (item, time.monotonic()) for each, item in found.items()})
    return known | found


def _asked(asked: list[str]) -> dict[str, Item | None]:
    """The item services are asked at once, each for its own; of a type that there is not there is no item."""
    parts = topology.of_items(asked)
    found: dict[str, Item | None] = dict.fromkeys(set(asked).difference(*parts.values()))
    if len(parts) == 1:  # a thread costs more than it saves
        return found | _known(*next(iter(parts.items())))
    for known in http.of_each(parts, lambda service: _known(service, parts[service])).values() if parts else ():
        found |= known
    return found


def _known(service: Service, ids: list[str]) -> dict[str, Item | None]:
    try:
        facts = _facts(service.name, ids)
    except ShopError as error:
        log.warning("items unknown", peer=service.name, error=error.code)
        return {}
    return {item_id: facts.get(item_id) for item_id in ids}


def _facts(service: str, ids: list[str]) -> dict[str, Item]:
    body = http.call("POST", service, "/internal/facts/", json={"ids": ids}, read_seconds=SECONDS)
    with http.understanding(service):
        return {item_id: _item(item_id, fact) for item_id, fact in body["items"].items()}


def _item(item_id: str, fact: dict[str, Any]) -> Item:
    price, weight = (None if fact[name] is None else int(fact[name]) for name in ("price", "weight_g"))
    return Item(item_id, fact["type"], fact["name"], price, fact["currency"], int(fact["stock"]), weight)


def perks(*, customer_id: str) -> Perks:
    """Of a VIP; none for who is no VIP any more. 502/503/504 when nobody can say."""
    path = f"/internal/customers/{quote(customer_id, safe='')}/perks/"
    try:
        body = http.call("GET", "customer_router", path, read_seconds=SECONDS)
    except ShopError as error:
        if error.status != 404:
            raise
        return Perks()
    with http.understanding("customer_router"):
        return Perks(str(body["tier"]), int(body["percent"]), tuple(map(str, body["free_shipping"])))
