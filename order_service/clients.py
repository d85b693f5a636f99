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


def close_cart(*, cart_id: str) -> None:
    """Tells the cart service that this cart has become an order."""
    http.call("POST", "cart_service", f"/internal/carts/{cart_id}/ordered/")


def tell_customer(*, customer_id: str, customer_type: str, order: dict[str, Any]) -> None:
    """Tells the customer's service, by way of the router, how an order is now."""
    path = f"/internal/customers/{customer_id}/orders/"
    http.call("POST", "customer_router", path, json={"customer_type": customer_type, "order": order})


def _line(body: dict[str, Any]) -> Line:
    price = to_minor(Decimal(body["unit_price"]))
    return Line(body["item_id"], body["item_type"], body["name"], price, int(body["quantity"]))
