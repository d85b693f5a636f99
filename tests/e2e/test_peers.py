"""Those who play the peers of orders and carts in tests answer as the real ones do: same calls, same answers."""

import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cart_service.tests.shop import Shop
from order_service.tests.peers import Item, Peers, Refused
from order_service.tests.world import World
from tests.e2e.test_stock import make
from tests.fleet import Fleet
from tests.people import ADDRESS, service_headers

Answer = tuple[int, Any]
Ask = Callable[[str, str, str, Any], Answer]
"""Method, service, path and body → status and JSON."""
GOOD, DECLINED, CONFIRMED = "4111111111111111", "4000000000000002", "4000002500003155"
STATUSES = {GOOD: "authorised", DECLINED: "failed", CONFIRMED: "requires_action"}
UNITS, AMOUNT = 3, 1_000
STOCK = [
    "reserve reserve release release",
    "reserve commit commit release",
    "reserve commit buyer buyer restock",
    "buyer",
    "commit",
    "release commit",
    "reserve commit restock restock",
    "reserve commit restock reserve",
    "reserve commit reserve commit",
    "restock",
    "release restock reserve commit",
    "too_many release",
]
PAYMENT = [
    (GOOD, "authorise authorise capture capture"),
    (GOOD, "capture"),
    (GOOD, "void authorise capture"),
    (GOOD, "authorise void void capture"),
    (GOOD, "authorise capture void"),
    (GOOD, "authorise capture part part fetch rest rest fetch"),
    (DECLINED, "authorise fetch void capture"),
    (CONFIRMED, "authorise fetch capture void fetch"),
]


def real(fleet: Fleet) -> Ask:
    def ask(method: str, service: str, path: str, body: Any) -> Answer:
        headers = service_headers(fleet, service, by="order_service")
        answer = fleet.call(method, path, at=service, json=body, headers=headers)
        return answer.status_code, answer.json()

    return ask


def simulated(item: str, card: str) -> Ask:
    stock = {item: Item(UNITS, UNITS)}
    peers = Peers(now=lambda: 0.0, tell=lambda kind, what: None, prices={item: 500}, stock=stock)

    def ask(method: str, service: str, path: str, body: Any) -> Answer:
        try:
            return 200, peers.answer(path, body)
        except Refused as refused:
            return refused.status, {"code": refused.code}

    return ask


def played(item: str, card: str) -> Ask:
    world = World(card=STATUSES[card], price=500)
    world.available[item] = UNITS
    act = {"book_service": world._stock, "paying_service": world._paying, "shipping_service": world._shipping}

    def ask(method: str, service: str, path: str, body: Any) -> Answer:
        status, _headers, found = act[service](path, body)
        return status, json.loads(found)

    return ask


@pytest.fixture(params=[simulated, played])
def fake(request: pytest.FixtureRequest) -> Callable[[str, str], Ask]:
    found: Callable[[str, str], Ask] = request.param
    return found


@pytest.mark.parametrize("steps", STOCK)
def test_stock(fleet: Fleet, fake: Callable[[str, str], Ask], steps: str) -> None:
    item = make(fleet, "book", UNITS)
    assert reserved(fake(item, GOOD), item, steps) == reserved(real(fleet), item, steps)


def reserved(ask: Ask, item: str, steps: str) -> list[Any]:
    order, told = uuid.uuid4(), []
    for step in steps.split():
        quantity = UNITS + 1 if step == "too_many" else 2
        path = f"/internal/reservations/{order}/{step.replace('too_many', 'reserve')}/"
        more = {"restock": {"key": "undo"}, "commit": {"customer_id": "ada"}, "buyer": {"customer_id": "bob"}}
        body = {"lines": {item: quantity}, **more.get(step, {})}
        status, found = ask("POST", "book_service", path, body)
        told.append((step, status // 100, found.get("code"), found.get("items") if step == "reserve" else None))
    other = {"lines": {item: UNITS}}  # what is free by now
    return [*told, ask("POST", "book_service", f"/internal/reservations/{uuid.uuid4()}/reserve/", other)[0]]


def test_facts(fleet: Fleet) -> None:
    item, shop = make(fleet, "book", UNITS), Shop()
    shop.sell(item, name="Scarce", price="5.00", stock=UNITS)
    asked = {"ids": [item, "book_gone"]}
    status, _headers, played = shop.answer(SimpleNamespace(body=json.dumps(asked)))
    assert (status, json.loads(played)) == real(fleet)("POST", "book_service", "/internal/facts/", asked)


@pytest.mark.parametrize(("card", "steps"), PAYMENT)
def test_payments(fleet: Fleet, fake: Callable[[str, str], Ask], card: str, steps: str) -> None:
    assert paid(fake("book_1", card), card, steps) == paid(real(fleet), card, steps)


def paid(ask: Ask, card: str, steps: str) -> list[Any]:
    payment, told = str(uuid.uuid4()), []
    refunds = {"part": {"refund_id": str(uuid.uuid4()), "amount": 300}}
    refunds["rest"] = {"refund_id": str(uuid.uuid4()), "amount": AMOUNT - 300}
    opened = {"payment_id": payment, "order_id": str(uuid.uuid4()), "customer_id": "ada", "customer_type": "vip"}
    opened |= {"provider": "simulated", "method": "card", "token": card, "amount": AMOUNT, "currency": "USD"}  # type: ignore[dict-item]
    for step in ("open", "open", *steps.split()):
        path = {"open": "", "fetch": f"{payment}/", **dict.fromkeys(refunds, f"{payment}/refunds/")}
        body = opened if step == "open" else refunds.get(step, {})
        method = "GET" if step == "fetch" else "POST"
        status, found = ask(
            method, "paying_service", f"/internal/payments/{path.get(step, f'{payment}/{step}/')}", body
        )
        seen = [found.get(name) for name in ("code", "captured", "refunded")]
        told.append(
            (step, status // 100, *seen, bool(found.get("failure_code")), step in refunds or found.get("status"))
        )
    return told


def test_a_payment_that_is_not_there(fleet: Fleet) -> None:
    path = f"/internal/payments/{uuid.uuid4()}/void/"
    answers = [ask("POST", "paying_service", path, {}) for ask in (real(fleet), simulated("book_1", GOOD))]
    assert [(status, found["code"]) for status, found in answers] == [(404, "not_found")] * 2


def test_shipments(fleet: Fleet, fake: Callable[[str, str], Ask]) -> None:
    assert shipped(fake("book_1", GOOD)) == shipped(real(fleet)) == ([4, 2, 2, 2], True)


def shipped(ask: Ask) -> tuple[list[int], bool]:
    """An order is shipped once, whatever id its second shipment would have; whether it is, can be asked."""
    order = {
        "order_id": str(uuid.uuid4()),
        "customer_id": "ada",
        "customer_type": "registered",
        "method": "standard",
        "address": ADDRESS,
        "weight_g": 500,
    }
    look = "GET", "shipping_service", f"/internal/shipments/{order['order_id']}/", {}
    before, first, again, after = (
        ask(*look),
        *(
            ask("POST", "shipping_service", "/internal/shipments/", {"shipment_id": str(uuid.uuid4()), **order})
            for _ in range(2)
        ),
        ask(*look),
    )
    numbers = {found["tracking_number"] for _, found in (first, again, after)}
    return [status // 100 for status, _ in (before, first, again, after)], len(numbers) == 1
