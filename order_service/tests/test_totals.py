"""What an order costs: live prices, the discount, shipping by what it weighs and where it goes, tax by country."""

import json
from typing import Any

import pytest
import requests
import responses

from order_service import saga, tasks
from order_service.models import Order, OrderEvent, Saga
from order_service.tests.checkout import finish
from order_service.tests.conftest import ADDRESS, CARD, LINE, RATES, Fills, wish
from order_service.tests.world import World
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
TENTH_OFF = {"discounts": [{"code": "vip_gold", "label": "Gold: 10 % off", "amount": "6.00"}]}


def to(country: str, **more: str) -> dict[str, str]:
    return {**ADDRESS, "country": country, **more}


def sums(body: Any) -> tuple[str, ...]:
    return tuple(body[name] for name in ("subtotal", "discount", "shipping", "tax", "total"))


def test_tax_shipping_and_discount_are_lines_that_add_up(ada: Caller, fills: Fills) -> None:
    body = ada.post("/api/orders/", wish(fills(**TENTH_OFF), shipping_address=to("GB"))).json()
    assert sums(body) == ("59.98", "6.00", "5.00", "11.80", "70.78")  # 20 % of 58.98, 11.796
    assert body["charges"] == [
        {"kind": "discount", "code": "vip_gold", "label": "Gold: 10 % off", "amount": "-6.00"},
        {"kind": "shipping", "code": "standard", "label": "Standard shipping", "amount": "5.00"},
        {"kind": "tax", "code": "GB", "label": "Tax, 20 %", "amount": "11.80"},
    ]


@pytest.mark.parametrize(
    ("country", "price", "tax"),
    [
        ("US", "0.02", "0.00"),
        ("GB", "0.02", "0.00"),  # 0.004
        ("GB", "0.03", "0.01"),  # 0.006
        ("CA", "0.10", "0.01"),  # 0.005: half a cent is rounded up
        ("CH", "100.00", "8.10"),
    ],
)
def test_tax_is_rounded_once_half_a_cent_up(ada: Caller, fills: Fills, country: str, price: str, tax: str) -> None:
    free = fills({**LINE, "unit_price": price, "quantity": 1}, free_shipping=["standard"])
    assert ada.post("/api/orders/", wish(free, shipping_address=to(country))).json()["tax"] == tax


def test_shipping_is_asked_for_by_weight_and_place(ada: Caller, fills: Fills, peers: responses.RequestsMock) -> None:
    heavy = fills({**LINE, "weight_g": 1200}, {**LINE, "item_id": "book_2", "quantity": 3})
    ada.post("/api/orders/", wish(heavy, shipping_address=to("US", region="AK")))
    (asked,) = [call.request for call in peers.calls if call.request.url == RATES]
    assert json.loads(asked.body) == {"country": "US", "region": "AK", "weight_g": 2 * 1200 + 3 * 500}
    assert Order.objects.get().weight_g == 3900


def test_rates_are_not_asked_for_again_within_a_minute(
    ada: Caller, fills: Fills, peers: responses.RequestsMock
) -> None:
    for method in ("standard", "express", "standard"):
        ada.post("/api/orders/", wish(fills(), shipping_method=method))
    assert len([call for call in peers.calls if call.request.url == RATES]) == 1


def test_a_vips_free_shipping_costs_nothing_by_the_methods_it_covers(ada: Caller, fills: Fills) -> None:
    free = {"free_shipping": ["standard"]}
    standard = ada.post("/api/orders/", wish(fills(**free))).json()
    express = ada.post("/api/orders/", wish(fills(**free), shipping_method="express")).json()
    assert [each["shipping"] for each in (standard, express)] == ["0.00", "15.00"]
    assert standard["charges"][0]["label"] == "Standard shipping, free for VIPs"


@pytest.mark.parametrize("answer", [{"body": requests.ConnectionError()}, {"json": {"rates": []}}, {"json": []}])
def test_without_a_rate_nothing_is_ordered(
    ada: Caller, fills: Fills, peers: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    cart = fills()
    peers.upsert("POST", RATES, **answer)
    assert ada.post("/api/orders/", wish(cart)).status_code in (502, 503)
    assert not Order.objects.exists()


def test_what_no_parcel_takes_is_refused(ada: Caller, fills: Fills, peers: responses.RequestsMock) -> None:
    cart = fills()
    refusal = {"error": "No.", "code": "too_heavy", "details": {}, "request_id": ""}
    peers.upsert("POST", RATES, json=refusal, status=400)
    answer = ada.post("/api/orders/", wish(cart))
    assert (answer.status_code, answer.json()["code"], Order.objects.count()) == (400, "too_heavy", 0)


@pytest.mark.parametrize("problem", ["unknown_item", "not_for_sale", "out_of_stock", "foreign_currency"])
def test_a_line_that_cannot_be_bought_is_no_order_and_says_which(ada: Caller, fills: Fills, problem: str) -> None:
    cart = fills(LINE, {**LINE, "item_id": "book_2", "problem": problem})
    answer = ada.post("/api/orders/", wish(cart, payment=CARD))
    assert (answer.status_code, answer.json()["code"]) == (409, problem)
    assert (answer.json()["details"], Order.objects.count()) == ({"book_2": [problem]}, 0)


def test_a_cart_whose_prices_are_only_last_known_is_no_order_yet(ada: Caller, fills: Fills) -> None:
    answer = ada.post("/api/orders/", wish(fills(live=False)))
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "1")


def test_who_expects_another_currency_is_told(ada: Caller, fills: Fills) -> None:
    cart = fills()
    answer = ada.post("/api/orders/", wish(cart, currency="EUR"))
    assert (answer.status_code, answer.json()["code"]) == (400, "foreign_currency")
    assert ada.post("/api/orders/", wish(cart, currency="USD")).status_code == 201


def test_where_an_order_goes_stays_in_its_country(ada: Caller, order: str) -> None:
    answer = ada.patch(order, {"shipping_address": to("GB")})
    assert (answer.status_code, answer.json()["code"]) == (409, "destination_fixed")
    assert ada.patch(order, {"shipping_address": {**ADDRESS, "city": "Paducah"}}).status_code == 200


@pytest.fixture
def free(ada: Caller, fills: Fills, world: World) -> Order:
    """An order that costs nothing, though a card was given."""
    world.price = 0
    cart = fills({**LINE, "unit_price": "0.00"}, free_shipping=["standard"])
    answer = ada.post("/api/orders/", wish(cart, payment=CARD))
    assert (answer.status_code, answer.data["total"], answer.data["payment_id"]) == (201, "0.00", None)
    return Order.objects.get()


def test_an_order_that_costs_nothing_needs_no_payment_and_is_shipped(world: World, free: Order) -> None:
    done = finish(free)
    assert (done.status, done.payment_id, world.payments) == ("fulfilling", None, {})
    assert world.sold == {str(free.pk): {"book_1": 2}}
    assert [event.name for event in OrderEvent.objects.all()][-3:] == ["commit", "capture", "ship"]


def test_an_order_that_costs_nothing_can_be_cancelled_until_it_is_shipped(
    world: World, free: Order, ada: Caller
) -> None:
    assert ada.post(f"/api/orders/{free.pk}/cancel/").data["status"] == "cancelled"
    assert (world.holds, world.available["book_1"], Saga.objects.get().step) == ({}, 10, "done")


def test_an_order_that_costs_nothing_is_carried_out_by_its_checkout_alone(free: Order, staff: Caller) -> None:
    answer = staff.patch(f"/api/orders/{free.pk}/", {"status": "reserved"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_by_hand")


def test_a_price_that_changes_after_the_order_still_cancels_it(world: World, ada: Caller, fills: Fills) -> None:
    ada.post("/api/orders/", wish(fills(), payment=CARD))
    world.price = 1
    saga.run_due()
    assert OrderEvent.objects.get(name="reserve").outcome == "price_changed"


def test_customers_hear_what_the_goods_cost_after_the_discount(ada: Caller, fills: Fills) -> None:
    ada.post("/api/orders/", wish(fills(**TENTH_OFF)))
    assert tasks.told(Order.objects.get())["goods"] == 5398
