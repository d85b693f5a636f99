"""What carts ask of the items router, and of the customer router."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shopkit import http
from shopkit.errors import ShopError

SEEN = 1000  # items that are remembered
SECONDS = 2.0  # that either may take: a cart is shown without them, rather than late


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

    As they are, or were at most `age` seconds ago. 502/503/504 when the router itself can't say.
    """
    wanted, oldest = set(ids), time.monotonic() - age
    known = {each: _seen[each][0] for each in wanted if age and each in _seen and _seen[each][1] >= oldest}
    found = _asked(sorted(wanted - known.keys()))
    if len(_seen) > SEEN:
        _seen.clear()
    _seen.update({each: (item, time.monotonic()) for each, item in found.items()})
    return known | found


def _asked(asked: list[str]) -> dict[str, Item | None]:
    if not asked:
        return {}
    body = http.call("POST", "items_router", "/internal/facts/", json={"ids": asked}, read_seconds=SECONDS)
    with http.understanding("items_router"):
        return {item_id: None if fact is None else _item(item_id, fact) for item_id, fact in body["items"].items()}


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
