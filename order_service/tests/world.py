"""The peers of a checkout as they would answer, in memory, behind HTTP; and everything that can go wrong with a call.

`tests/e2e/test_peers.py` holds them to the real ones.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from shopkit import topology

Answer = tuple[int, dict[str, str], str]
UNITS = 10
TAKEN = ("captured", "partially_refunded", "refunded")


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Fault:
    """What happens to the call of that number (from 0): `before` or `after` its effect; by `kind`."""

    call: int
    when: str
    kind: str
    struck: bool = False


@dataclass
class World:
    """Stock, payments and shipments. `card` is how a payment comes out; `fault` what goes wrong once, if anything."""

    card: str = "authorised"
    price: int | None = 2999
    gone: bool = False
    available: Counter[str] = field(default_factory=lambda: Counter({"book_1": UNITS, "laptop_1": UNITS}))
    holds: dict[str, dict[str, int]] = field(default_factory=dict)
    sold: dict[str, dict[str, int]] = field(default_factory=dict)
    undone: set[tuple[str, str]] = field(default_factory=set)
    buyers: dict[str, str | None] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    shipments: dict[str, str] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    charges: int = 0
    calls: list[str] = field(default_factory=list)
    fault: Fault | None = None

    def play(self, mock: responses.RequestsMock) -> None:
        for peer, act in (
            ("book_service", self._stock),
            ("laptop_service", self._stock),
            ("paying_service", self._paying),
            ("shipping_service", self._shipping),
        ):
            url = re.compile(re.escape(topology.service(peer).url) + "/internal/.*")
            for method in ("GET", "POST"):
                mock.add_callback(method, url, callback=self._faulty(act))

    def _faulty(self, act: Any) -> Any:
        def answer(request: requests.PreparedRequest) -> Answer:
            number, fault = len(self.calls), self.fault
            self.calls.append(str(request.path_url))
            if fault is None or fault.call != number:
                return _done(act, request)
            fault.struck = True
            if fault.when == "after":
                _done(act, request)
            return self._strike(fault.kind)

        return answer

    def _strike(self, kind: str) -> Answer:
        if kind == "killed":
            raise Killed
        if kind == "lost":
            raise requests.ReadTimeout
        return _error(503, "unavailable")

    def _stock(self, path: str, body: dict[str, Any]) -> Answer:
        order, step = path.split("/")[3:5]
        refusal = getattr(self, f"_stock_{step}")(order, body)
        prices = {item: {"price": self.price} for item in body["lines"]}
        return _error(409, refusal) if refusal else _ok({"items": prices})

    def _stock_reserve(self, order: str, body: dict[str, Any]) -> str | None:
        lines, held = body["lines"], self.holds.get(order, {})
        if any((order, item) in self.undone for item in lines):
            return "order_undone"
        if held.keys() >= lines.keys():
            return None
        if all(self.available[item] >= quantity for item, quantity in lines.items()):
            self.available.subtract(lines)
            self.holds[order] = held | lines
            return None
        return None if self.sold.get(order, {}).keys() >= lines.keys() else "out_of_stock"

    def _stock_release(self, order: str, body: dict[str, Any]) -> None:
        self.available.update(_taken(self.holds, order, body["lines"]))

    def _stock_commit(self, order: str, body: dict[str, Any]) -> str | None:
        if self.sold.get(order, {}).keys() >= body["lines"].keys():
            self._stock_release(order, body)
        elif not self.holds.get(order, {}).keys() >= body["lines"].keys():
            return "hold_gone"
        else:
            self.sold[order] = self.sold.get(order, {}) | _taken(self.holds, order, body["lines"])
            self.buyers[order] = body.get("customer_id")
        return None

    def _stock_buyer(self, order: str, body: dict[str, Any]) -> None:
        if order in self.buyers:
            self.buyers[order] = body.get("customer_id")

    def _stock_restock(self, order: str, body: dict[str, Any]) -> None:
        self.undone |= {(order, item) for item in body["lines"]}
        self.available.update(_taken(self.sold, order, body["lines"]))

    def _paying(self, path: str, body: dict[str, Any]) -> Answer:
        parts = path.strip("/").split("/")[2:]
        if path.startswith("/internal/dues/"):
            return _ok({})
        if not parts:
            return self._new_payment(body)
        if self.gone:
            return _error(404, "not_found")
        payment, act = self.payments[parts[0]], parts[1] if parts[1:] else "fetch"
        refusal = getattr(self, f"_{act}")(payment, body)
        return _error(409, refusal) if refusal else _ok(payment)

    def _new_payment(self, body: dict[str, Any]) -> Answer:
        made = {"id": body["payment_id"], "status": "pending", "amount": body["amount"], "captured": 0, "refunded": 0}
        made |= {"order_id": body["order_id"], "refund_failed": 0, "failure_code": "", "refunds": []}
        self.payments.setdefault(body["payment_id"], made)
        return _ok(self.payments[body["payment_id"]])

    def _fetch(self, payment: dict[str, Any], body: dict[str, Any]) -> None: ...

    def _authorise(self, payment: dict[str, Any], body: dict[str, Any]) -> None:
        if payment["status"] == "pending":
            payment["status"] = self.card
            payment["failure_code"] = "card_declined" if self.card == "failed" else ""

    def _capture(self, payment: dict[str, Any], body: dict[str, Any]) -> str | None:
        if payment["status"] in TAKEN:
            return None
        if payment["status"] != "authorised":
            return str(payment["status"])
        payment["status"], payment["captured"] = "captured", payment["amount"]
        self.charges += 1
        return None

    def _void(self, payment: dict[str, Any], body: dict[str, Any]) -> str | None:
        if payment["status"] in TAKEN:
            return "captured"
        payment["status"] = "failed" if payment["status"] == "failed" else "voided"
        return None

    def _refunds(self, payment: dict[str, Any], body: dict[str, Any]) -> None:
        if body["refund_id"] not in payment["refunds"]:
            payment["refunds"].append(body["refund_id"])
            payment["refunded"] += body["amount"]
            whole = payment["refunded"] == payment["captured"]
            payment["status"] = "refunded" if whole else "partially_refunded"

    def _shipping(self, path: str, body: dict[str, Any]) -> Answer:
        if order := path.split("/")[3]:
            known = self.shipments.get(order)
            return _ok({"tracking_number": known}) if known else _error(404, "not_found")
        tracking = self.shipments.setdefault(body["order_id"], f"PS{len(self.shipments)}")
        return _ok({"id": body["shipment_id"], "tracking_number": tracking, "status": "label_created"})


class Shop(World):
    """The peers, with a provider's page for each payment that waits for its customer."""

    def _authorise(self, payment: dict[str, Any], body: dict[str, Any]) -> None:
        super()._authorise(payment, body)
        payment["action_url"] = f"/api/payments/{payment['id']}/pay/"


def _done(act: Callable[[str, dict[str, Any]], Answer], request: requests.PreparedRequest) -> Answer:
    return act(str(request.path_url), json.loads(request.body or "{}"))


def _ok(body: dict[str, Any]) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(body)


def _error(status: int, code: str) -> Answer:
    body = {"error": f"{code}.", "code": code, "details": {}, "request_id": "x"}
    return status, {"Content-Type": "application/json"}, json.dumps(body)


def _taken(kept: dict[str, dict[str, int]], order: str, items: Iterable[str]) -> dict[str, int]:
    """Takes out of what is kept for the order what there is of these, and gives that."""
    lines = kept.pop(order, {})
    if rest := {item: quantity for item, quantity in lines.items() if item not in items}:
        kept[order] = rest
    return {item: quantity for item, quantity in lines.items() if item in items}
