"""The peers of order_service for a simulation: they keep books as the real ones do, and tell news of what changes.

`tests/e2e/test_peers.py` asks these and the real ones the same, and compares the answers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HOLD = 600.0  # seconds
PRICES = {"book_1": 2999, "clothes_1": 1550, "laptop_1": 99900}
CARDS = {
    "4111111111111111": "authorised",
    "4000000000000002": "failed",
    "4000000000009995": "failed",
    "4000002500003155": "requires_action",
    "4000000000000341": "pending",
}
TAKEN = ("captured", "partially_refunded", "refunded")
Json = dict[str, Any]


class Refused(Exception):
    """The peer's answer is an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Item:
    """An item of a type's service; `done` are the changes that can't be made twice."""

    put_in: int
    available: int
    sold: int = 0
    holds: dict[str, tuple[int, float]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def hold(self, order: str, quantity: int, expires: float) -> str:
        """Why not, if it can't be."""
        if f"undone-{order}" in self.done:
            return "order_undone"
        if order not in self.holds:
            if self.available < quantity:
                return "" if f"commit-{order}" in self.done else "out_of_stock"
            self.available -= quantity
        self.holds[order] = quantity, expires
        return ""

    def release(self, order: str) -> None:
        self.available += self.holds.pop(order, (0, 0.0))[0]

    def commit(self, order: str) -> bool:
        if f"commit-{order}" in self.done:
            self.release(order)
        elif order not in self.holds:
            return False
        else:
            self.sold += self.holds.pop(order)[0]
            self.done.add(f"commit-{order}")
        return True

    def restock(self, order: str, quantity: int, key: str) -> None:
        self.done.add(f"undone-{order}")
        if f"commit-{order}" in self.done and f"restock-{key}" not in self.done:
            self.done.add(f"restock-{key}")
            self.sold -= quantity
            self.available += quantity

    def expire(self, now: float) -> None:
        for order in [order for order, (_, expires) in self.holds.items() if expires <= now]:
            self.release(order)

    def counted(self, name: str) -> Json:
        held = sum(quantity for quantity, _ in self.holds.values())
        numbers = {"available": self.available, "held": held, "sold": self.sold, "put_in": self.put_in}
        return {"id": name, **numbers, "holds": {order: quantity for order, (quantity, _) in self.holds.items()}}


@dataclass
class Peers:
    """Carts, stock, payments, shipments. `now` is their clock, in seconds.

    `tell` hears of each payment or shipment that has changed; `ready_after` says after how many seconds a card is
    authorised that takes its time.
    """

    now: Callable[[], float]
    tell: Callable[[str, Json], None]
    ready_after: Callable[[], float] = lambda: 2.0
    prices: dict[str, int] = field(default_factory=PRICES.copy)
    stock: dict[str, Item] = field(default_factory=dict)
    carts: dict[str, Json] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    shipments: dict[str, Json] = field(default_factory=dict)

    def answer(self, path: str, body: Json) -> Json:
        """The JSON of a 2xx; `Refused` for any other."""
        for pattern, act in _ROUTES:
            if found := re.fullmatch(pattern, path):
                return act(self, *found.groups(), body)  # type: ignore[no-any-return]
        raise AssertionError(f"no peer serves {path}")

    def cart(self, cart: str, body: Json) -> Json:
        return self.carts[cart]

    def close_cart(self, cart: str, body: Json) -> Json:
        self.carts[cart]["ordered"] = True
        return {}

    def customer(self, body: Json) -> Json:
        return {}

    def rates(self, body: Json) -> Json:
        return {"rates": [{"method": "standard", "price": "5.00"}, {"method": "express", "price": "15.00"}]}

    def take_step(self, order: str, step: str, body: Json) -> Json:
        """At one type's service, which holds all that it is asked for, or none of it."""
        lines: dict[str, int] = body["lines"]
        assert len({item.partition("_")[0] for item in lines}) == 1, f"one service was asked for {sorted(lines)}"
        try:
            for item in sorted(lines):
                self._one(order, step, item, lines[item], body.get("key", ""))
        except Refused:
            if step == "reserve":
                for item in lines:
                    self.stock[item].release(order)
            raise
        return {"items": {item: {"price": self.prices[item]} for item in lines}} if step == "reserve" else {}

    def _one(self, order: str, step: str, name: str, quantity: int, key: str) -> None:
        item = self.stock[name]
        if step == "reserve" and (refusal := item.hold(order, quantity, self.now() + HOLD)):
            raise Refused(409, refusal)
        if step == "release":
            item.release(order)
        if step == "commit" and not item.commit(order):
            raise Refused(409, "hold_gone")
        if step == "restock":
            item.restock(order, quantity, key)

    def open_payment(self, body: Json) -> Json:
        if body["token"] not in CARDS:
            raise Refused(400, "invalid_token")
        made = {name: body[name] for name in ("order_id", "customer_id", "amount", "token")}
        made |= {"id": body["payment_id"], "status": "pending", "captured": 0, "refunded": 0, "refund_failed": 0}
        made |= {"failure_code": "", "refunds": {}, "ready_at": None, "charges": 0}
        return self.payments.setdefault(body["payment_id"], made)

    def payment(self, key: str, body: Json) -> Json:
        if key not in self.payments:
            raise Refused(404, "not_found")
        payment = self.payments[key]
        if payment["status"] == "pending" and payment["ready_at"] and payment["ready_at"] <= self.now():
            self._becomes(payment, "authorised")
        return payment

    def authorise(self, key: str, body: Json) -> Json:
        payment = self.payment(key, body)
        if payment["status"] == "pending" and payment["ready_at"] is None:
            status = CARDS[payment["token"]]
            if status == "pending":
                payment["ready_at"] = self.now() + self.ready_after()
            else:
                self._becomes(payment, status)
        return payment

    def capture(self, key: str, body: Json) -> Json:
        payment = self.payment(key, body)
        if payment["status"] not in TAKEN:
            if payment["status"] != "authorised":
                raise Refused(409, payment["status"])
            payment["captured"] = payment["amount"]
            payment["charges"] += 1
            self._becomes(payment, "captured")
        return payment

    def void(self, key: str, body: Json) -> Json:
        payment = self.payment(key, body)
        if payment["status"] in TAKEN:
            raise Refused(409, "captured")
        if payment["status"] not in ("failed", "voided"):
            self._becomes(payment, "voided")
        return payment

    def refund(self, key: str, body: Json) -> Json:
        payment = self.payment(key, body)
        if body["refund_id"] in payment["refunds"]:
            return payment
        if not payment["captured"]:
            raise Refused(409, "not_captured")
        if not 0 < body["amount"] <= payment["captured"] - payment["refunded"]:
            raise Refused(409, "refund_exceeds_capture")
        payment["refunds"][body["refund_id"]] = body["amount"]
        payment["refunded"] += body["amount"]
        self._becomes(payment, "refunded" if payment["refunded"] == payment["captured"] else "partially_refunded")
        return payment

    def confirm(self, key: str, *, accepted: bool) -> None:
        """What the customer does on the provider's page, if there is anything to do."""
        if self.payments[key]["status"] == "requires_action":
            self._becomes(self.payments[key], "authorised" if accepted else "failed")

    def _becomes(self, payment: Json, status: str) -> None:
        payment["status"] = status
        payment["failure_code"] = "declined" if status == "failed" else ""
        self.tell("payment", payment)

    def ship(self, body: Json) -> Json:
        order = body["order_id"]
        if order not in self.shipments:
            number = f"PS{len(self.shipments)}"
            ids = {"id": body["shipment_id"], "order_id": order}
            self.shipments[order] = {**ids, "tracking_number": number, "status": "label_created"}
            self.tell("shipment", self.shipments[order])
        return self.shipments[order]

    def shipment(self, order: str, body: Json) -> Json:
        if order not in self.shipments:
            raise Refused(404, "not_found")
        return self.shipments[order]


_ID = "([0-9a-f-]{36})"
_ROUTES: list[tuple[str, Callable[..., Json]]] = [
    (f"/internal/reservations/{_ID}/([a-z]+)/", Peers.take_step),
    (f"/internal/payments/{_ID}/authorise/", Peers.authorise),
    (f"/internal/payments/{_ID}/capture/", Peers.capture),
    (f"/internal/payments/{_ID}/", Peers.payment),
    (f"/internal/payments/{_ID}/void/", Peers.void),
    (f"/internal/payments/{_ID}/refunds/", Peers.refund),
    ("/internal/payments/", Peers.open_payment),
    ("/internal/shipments/", Peers.ship),
    (f"/internal/shipments/{_ID}/", Peers.shipment),
    (f"/api/carts/{_ID}/", Peers.cart),
    (f"/internal/carts/{_ID}/ordered/", Peers.close_cart),
    ("/internal/customers/.*", Peers.customer),
    ("/api/shipments/rates/", Peers.rates),
]
