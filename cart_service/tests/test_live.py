"""What a cart shows is as it is now: names, prices, stock, what a VIP gets off; or as last known, and says so."""

from typing import Any

import pytest
import requests
import responses

from cart_service.models import Cart
from cart_service.tests.conftest import FACTS, Sells, perks_of
from cart_service.tests.shop import Shop
from shopkit.testing import Caller, caller

pytestmark = pytest.mark.django_db
GOLD = {"tier": "gold", "percent": 10, "free_shipping": ["standard", "express"]}


@pytest.fixture
def full(cart: str, ada: Caller, sells: Sells) -> str:
    """The path of Ada's cart with two of `book_1`."""
    ada.post(f"{cart}items/", {"item_id": sells(), "quantity": 2})
    return cart


@pytest.fixture
def vip() -> Caller:
    return caller("vera", "vip")


def line(answer: Any) -> dict[str, Any]:
    (only,) = answer.json()["items"]
    return dict(only)


def test_a_name_and_a_price_that_changed_show_and_the_sums_follow(full: str, ada: Caller, sells: Sells) -> None:
    sells(name="Cleaner Code", price="10.00")
    shown = ada.get(full)
    now = {"name": "Cleaner Code", "unit_price": "10.00", "line_total": "20.00", "price_changed": True}
    assert line(shown).items() >= {**now, "price_when_added": "29.99", "available": True, "live": True}.items()
    assert (shown.json()["subtotal"], shown.json()["total_price"]) == ("20.00", "20.00")


def test_reading_changes_nothing(full: str, ada: Caller, sells: Sells) -> None:
    sells(price="10.00")
    first, again = ada.get(full).json(), ada.get(full).json()
    assert first == again
    assert first["items"][0]["price_changed"]


def test_putting_in_more_agrees_to_the_present_price(full: str, ada: Caller, sells: Sells) -> None:
    answer = ada.post(f"{full}items/", {"item_id": sells(price="10.00"), "quantity": 1})
    assert line(answer).items() >= {"price_changed": False, "price_when_added": "10.00"}.items()


@pytest.mark.parametrize(
    ("change", "problem", "subtotal"),
    [
        ({"stock": 1}, "out_of_stock", "59.98"),
        ({"stock": 0}, "out_of_stock", "59.98"),
        ({"price": None}, "not_for_sale", "0.00"),
        ({"currency": "EUR"}, "foreign_currency", "0.00"),
    ],
)
def test_a_line_that_cannot_be_bought_says_why(
    full: str, ada: Caller, sells: Sells, change: dict[str, Any], problem: str, subtotal: str
) -> None:
    sells(**change)
    shown = ada.get(full)
    assert line(shown).items() >= {"available": False, "problem": problem, "quantity": 2}.items()
    assert shown.json()["subtotal"] == subtotal


def test_an_item_that_is_gone_says_so_under_its_last_name(full: str, ada: Caller) -> None:
    with responses.RequestsMock() as peers:
        peers.post(FACTS, json={"items": {}})
        shown = ada.get(full)
    gone = {"available": False, "problem": "unknown_item", "name": "Clean Code", "stock": None, "live": True}
    assert line(shown).items() >= gone.items()
    assert shown.json()["total_price"] == "0.00"


def test_a_cart_is_read_with_one_call_however_many_lines_it_has(
    cart: str, ada: Caller, sells: Sells, shop: Shop
) -> None:
    for number in range(5):
        ada.post(f"{cart}items/", {"item_id": sells(f"book_{number}"), "quantity": 1})
    before = shop.calls
    assert len(ada.get(cart).json()["items"]) == 5
    assert shop.calls == before + 1


def test_a_page_of_carts_is_read_with_one_call(full: str, ada: Caller, sells: Sells, shop: Shop) -> None:
    other = ada.post("/api/carts/").data["id"]
    ada.post(f"/api/carts/{other}/items/", {"item_id": sells("book_2", price="1.00"), "quantity": 1})
    before = shop.calls
    totals = {each["total_price"] for each in ada.get("/api/carts/").json()["results"]}
    assert (totals, shop.calls) == ({"59.98", "1.00"}, before + 1)


@pytest.mark.parametrize(
    "down",
    [
        {"body": requests.ConnectionError()},
        {"body": requests.Timeout()},
        {"json": {}},
        {"json": {"items": {"book_1": {}}}},
    ],
)
def test_while_nobody_can_say_a_cart_shows_what_was_last_known(full: str, ada: Caller, down: dict[str, Any]) -> None:
    with responses.RequestsMock() as peers:
        peers.post(FACTS, **down)
        shown = ada.get(full)
    known = {"name": "Clean Code", "unit_price": "29.99", "available": None, "problem": None, "stock": None}
    assert line(shown).items() >= {**known, "live": False}.items()
    assert (shown.json()["live"], shown.json()["total_price"]) == (False, "59.98")
    assert ada.get(full).json()["live"] is True


def test_where_one_type_cannot_say_the_others_can(full: str, ada: Caller, sells: Sells, shop: Shop) -> None:
    ada.post(f"{full}items/", {"item_id": sells("mobile_1", type="mobile"), "quantity": 1})
    shop.items["mobile_1"] = None
    shown = ada.get(full).json()
    assert ([each["live"] for each in shown["items"]], shown["live"]) == ([True, False], False)
    changed = ada.post(f"{full}items/", {"item_id": "book_1", "quantity": 1})
    assert (changed.status_code, changed.json()["items"][0]["quantity"]) == (201, 3)
    assert ada.post(f"{full}items/", {"item_id": "mobile_1", "quantity": 1}).status_code == 503


def test_a_vips_discount_is_a_line_of_its_own(vip: Caller, sells: Sells, peers: responses.RequestsMock) -> None:
    peers.get(perks_of("vera"), json=GOLD)
    path = f"/api/carts/{vip.post('/api/carts/').data['id']}/"
    shown = vip.post(f"{path}items/", {"item_id": sells(price="9.95"), "quantity": 3}).json()
    assert shown["discounts"] == [{"code": "vip_gold", "label": "Gold: 10 % off", "amount": "2.99"}]  # 2.985
    assert (shown["subtotal"], shown["total_price"]) == ("29.85", "26.86")
    assert shown["free_shipping"] == ["standard", "express"]
    assert vip.get(path).json()["discounts"] == shown["discounts"]


def test_who_became_a_vip_gets_the_discount_on_a_cart_of_before(
    full: str, peers: responses.RequestsMock, staff: Caller
) -> None:
    peers.get(perks_of("ada"), json=GOLD)
    assert caller("ada", "vip").get(full).json()["total_price"] == "53.98"
    assert caller("ada", "registered").get(full).json()["total_price"] == "59.98"


@pytest.mark.parametrize(
    ("answer", "live"),
    [
        ({"json": {"error": "No.", "code": "not_found", "details": {}, "request_id": ""}, "status": 404}, True),
        ({"body": requests.ConnectionError()}, False),
        ({"json": {"percent": 10}}, False),
    ],
)
def test_without_a_word_on_a_vip_there_is_no_discount_and_the_cart_says_if_that_is_not_known(
    vip: Caller, sells: Sells, peers: responses.RequestsMock, answer: dict[str, Any], live: bool
) -> None:
    peers.get(perks_of("vera"), **answer)
    path = f"/api/carts/{vip.post('/api/carts/').data['id']}/"
    shown = vip.post(f"{path}items/", {"item_id": sells(), "quantity": 1}).json()
    assert (shown["discounts"], shown["total_price"], shown["live"]) == ([], "29.99", live)


def test_a_cart_in_a_foreign_currency_is_refused(ada: Caller, cart: str, sells: Sells) -> None:
    line = {"item_id": sells(), "quantity": 1, "currency": "EUR"}
    for answer in (ada.post("/api/carts/", {"currency": "EUR"}), ada.post(f"{cart}items/", line)):
        assert (answer.status_code, answer.json()["code"]) == (400, "foreign_currency")
    assert (Cart.objects.count(), ada.get(cart).json()["items"]) == (1, [])
    assert ada.post("/api/carts/", {"currency": "USD"}).status_code == 201


def test_an_item_in_a_foreign_currency_does_not_go_in(ada: Caller, cart: str, sells: Sells) -> None:
    answer = ada.post(f"{cart}items/", {"item_id": sells(currency="EUR"), "quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "foreign_currency")
