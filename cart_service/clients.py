"""What carts ask of the items router."""

from dataclasses import dataclass
from decimal import Decimal

from shopkit import http
from shopkit.money import to_minor


@dataclass(frozen=True)
class Item:
    """An item as it is sold now: `price` in minor units, None while it is not for sale; `stock` free to sell."""

    id: str
    type: str
    name: str
    price: int | None
    stock: int


def item(*, item_id: str) -> Item | None:
    """The item, None when there is no such item; 502/503/504 when nobody can say."""
    body = http.find("items_router", f"/api/items/{item_id}/")
    if body is None:
        return None
    with http.understanding("items_router"):
        price = None if body["price"] is None else to_minor(Decimal(body["price"]))
        return Item(body["id"], body["type"], body["name"], price, int(body["stock"]))
