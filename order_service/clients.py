"""What orders ask of their peers."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shopkit import http
from shopkit.auth import Identity
from shopkit.money import to_minor


@dataclass(frozen=True)
class Line:
    """One item of a cart; `unit_price` in minor units."""

    item_id: str
    item_type: str
    name: str
    unit_price: int
    quantity: int


@dataclass(frozen=True)
class Cart:
    owner_id: str | None
    owner_type: str
    currency: str
    lines: tuple[Line, ...]

    @property
    def subtotal(self) -> int:
        return sum(line.unit_price * line.quantity for line in self.lines)


def cart(*, cart_id: uuid.UUID, identity: Identity) -> Cart | None:
    """The cart as the caller may see it, None when there is none for them; 502/503/504 when nobody can say."""
    body = http.find("cart_service", f"/api/carts/{cart_id}/", identity=identity)
    if body is None:
        return None
    with http.understanding("cart_service"):
        return Cart(body["owner_id"], body["owner_type"], body["currency"], tuple(map(_line, body["items"])))


def _line(body: dict[str, Any]) -> Line:
    price = to_minor(Decimal(body["unit_price"]))
    return Line(body["item_id"], body["item_type"], body["name"], price, int(body["quantity"]))
