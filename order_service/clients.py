"""What orders ask of their peers; for what they ask of the item services, see `stock`."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shopkit import http, topology
from shopkit.auth import Identity
from shopkit.money import to_minor

PIECE_G = 500  # of a piece whose item does not say what it weighs
RATES_SECONDS, RATES_KEPT = 60.0, 1000


@dataclass(frozen=True)
class Line:
    """One item of a cart as it is now; `unit_price` in minor units, `weight_g` None where nobody knows it.

    `problem` is the code for why it can't be bought, if it can't.
    """

    item_id: str
    item_type: str
    name: str
    unit_price: int
    quantity: int
    weight_g: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Discount:
    """What is taken off the goods; `amount` in minor units."""

    code: str
    label: str
    amount: int


@dataclass(frozen=True)
class Cart:
    """`live` is False when some of it is only as last known; `free_shipping` are the methods that cost nothing."""

    owner_id: str | None
    owner_type: str
    currency: str
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...] = ()
    free_shipping: tuple[str, ...] = ()
    live: bool = True

    @property
    def subtotal(self) -> int:
        return sum(line.unit_price * line.quantity for line in self.lines)

    @property
    def weight_g(self) -> int:
        return sum((PIECE_G if line.weight_g is None else line.weight_g) * line.quantity for line in self.lines)


def cart(*, cart_id: uuid.UUID, identity: Identity) -> Cart | None:
    """The cart as the caller may see it, None when there is none for them; 502/503/504 when nobody can say."""
    body = http.find("cart_service", f"/api/carts/{cart_id}/", identity=identity)
    if body is None:
        return None
    with http.understanding("cart_service"):
        return _cart(body)


def _cart(body: dict[str, Any]) -> Cart:
    discounts = [Discount(each["code"], each["label"], _minor(each["amount"])) for each in body["discounts"]]
    return Cart(
        body["owner_id"],
        body["owner_type"],
        body["currency"],
        tuple(map(_line, body["items"])),
        tuple(discounts),
        tuple(map(str, body["free_shipping"])),
        bool(body["live"]),
    )


def close_cart(*, cart_id: str) -> None:
    """Tells the cart service that this cart has become an order."""
    http.call("POST", "cart_service", f"/internal/carts/{cart_id}/ordered/")


def tell_customer(*, customer_id: str, customer_type: str, order: dict[str, Any]) -> str:
    """Tells the customer's service, by way of the router, how an order is now; the customer's email, or none."""
    path = f"/internal/customers/{customer_id}/orders/"
    body = http.call("POST", "customer_router", path, json={"customer_type": customer_type, "order": order})
    with http.understanding("customer_router"):
        return str(body.get("email") or "")


def _line(body: dict[str, Any]) -> Line:
    weight, price = body["weight_g"], _minor(body["unit_price"])
    more = {"weight_g": None if weight is None else int(weight), "problem": body["problem"]}
    return Line(body["item_id"], body["item_type"], body["name"], price, int(body["quantity"]), **more)


def _minor(amount: str) -> int:
    return to_minor(Decimal(amount))


@dataclass(frozen=True)
class Rate:
    """What a shipping method costs, in minor units."""

    method: str
    price: int


_rates: dict[tuple[str, str, int], tuple[float, dict[str, Rate]]] = {}


def rate(*, country: str, region: str, weight_g: int, method: str) -> Rate:
    """What shipping_service asks; asked for again within a minute, the same. `Invalid("too_heavy")`."""
    asked, now = (country, region, weight_g), time.monotonic()
    until, known = _rates.get(asked, (0.0, {}))
    if until < now:
        known = _asked_rates(country, region, weight_g)
        if len(_rates) >= RATES_KEPT:
            _rates.clear()
        _rates[asked] = (now + RATES_SECONDS, known)
    with http.understanding("shipping_service"):
        return known[method]


def _asked_rates(country: str, region: str, weight_g: int) -> dict[str, Rate]:
    wish = {"country": country, "region": region, "weight_g": weight_g}
    body = http.call("POST", "shipping_service", "/api/shipments/rates/", json=wish)
    with http.understanding("shipping_service"):
        return {each["method"]: Rate(each["method"], _minor(each["price"])) for each in body["rates"]}


@dataclass(frozen=True)
class Payment:
    """As paying_service has it; amounts in minor units. `action_url` is where its customer pays, if they have to."""

    id: uuid.UUID
    status: str
    captured: int
    refunded: int
    failure_code: str
    action_url: str = ""


def make_payment(*, payment_id: uuid.UUID, order_id: uuid.UUID, **asked: Any) -> None:
    """A payment that waits to be authorised; the same one if it is there. `ShopError` of 400 for no card of theirs."""
    body = {"payment_id": str(payment_id), "order_id": str(order_id), **asked}
    http.call("POST", "paying_service", "/internal/payments/", json=body)


def note_due(*, order_id: uuid.UUID, **due: Any) -> None:
    """What the order's customer may pay from now on."""
    http.call("POST", "paying_service", "/internal/dues/", json={"order_id": str(order_id), **due})


def authorise(*, payment_id: uuid.UUID) -> Payment:
    return _payment("POST", f"{payment_id}/authorise/")


def payment(*, payment_id: uuid.UUID) -> Payment:
    return _payment("GET", f"{payment_id}/")


def capture(*, payment_id: uuid.UUID) -> Payment:
    """A `ShopError` of 409 when it is `voided`, `failed` or `not_authorised`."""
    return _payment("POST", f"{payment_id}/capture/")


def void(*, payment_id: uuid.UUID) -> Payment:
    """A `ShopError` of 409 `captured` when it is too late, of 503 while the outcome is not known."""
    return _payment("POST", f"{payment_id}/void/")


def refund(*, payment_id: uuid.UUID, refund_id: uuid.UUID, amount: int) -> Payment:
    return _payment("POST", f"{payment_id}/refunds/", {"refund_id": str(refund_id), "amount": amount})


def _payment(method: str, path: str, body: dict[str, Any] | None = None) -> Payment:
    found = http.call(method, "paying_service", f"/internal/payments/{path}", json=body)
    with http.understanding("paying_service"):
        numbers = int(found["captured"]), int(found["refunded"])
        action_url = str(found.get("action_url") or "")
        return Payment(uuid.UUID(found["id"]), found["status"], *numbers, found["failure_code"] or "", action_url)


def ship(*, shipment_id: uuid.UUID, order_id: uuid.UUID, **asked: Any) -> str:
    """The tracking number of the order's one shipment."""
    body = {"shipment_id": str(shipment_id), "order_id": str(order_id), **asked}
    made = http.call("POST", "shipping_service", "/internal/shipments/", json=body)
    with http.understanding("shipping_service"):
        return str(made["tracking_number"])


def is_shipped(*, order_id: uuid.UUID) -> bool:
    """Whether the carrier has been given its parcel."""
    return http.find("shipping_service", f"/internal/shipments/{order_id}/") is not None


def all_payments() -> Iterator[dict[str, Any]]:
    """`{id, order_id, status, captured, refunded, refund_failed, by_hand, created_at}` of each, for the auditor."""
    return _all("paying_service", "/internal/payments/")


def all_shipments() -> Iterator[dict[str, Any]]:
    """`{id, order_id, status, updated_at}` of each."""
    return _all("shipping_service", "/internal/shipments/")


def all_stock() -> Iterator[dict[str, Any]]:
    """`{id, available, held, sold, put_in, holds}` of each item of every type; `holds` by order, how many."""
    for service in topology.by_item_type().values():
        yield from _all(service.name, "/internal/stocktaking/")


def all_carts() -> Iterator[dict[str, Any]]:
    """`{id, ordered}` of each."""
    return _all("cart_service", "/internal/carts/")


def _all(service: str, path: str) -> Iterator[dict[str, Any]]:
    """Every row, in pages that begin `after` the last one's id."""
    after = ""
    while True:
        body = http.get(service, path, params={"after": after})
        with http.understanding(service):
            rows = {str(row["id"]): row for row in body["rows"]}
        yield from rows.values()
        if not rows:
            return
        after = list(rows)[-1]
