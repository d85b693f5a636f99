"""What goes into a cart: from the item services, at its name and price, within its stock."""

from typing import Any

import pytest
import requests
import responses

from cart_service.models import MAX_LINES, Cart, CartLine
from cart_service.tests.conftest import FACTS, Sells
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NO_LINE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def line(cart: str, ada: Caller, sells: Sells) -> str:
    """The path of the cart's only line: two of `book_1`."""
    added = ada.post(f"{cart}items/", {"item_id": sells(), "quantity": 2})
    return f"{cart}items/{added.data['items'][0]['id']}/"


def kept(ada: Caller, cart: str) -> tuple[int, list[tuple[str, int]]]:
    """The cart's version, and how many of what are in it."""
    now = ada.get(cart).json()
    return now["version"], [(each["item_id"], each["quantity"]) for each in now["items"]]


def test_an_item_comes_with_its_own_name_and_price(cart: str, ada: Caller, sells: Sells) -> None:
    asked = {"item_id": sells(), "quantity": 2, "price": "0.01", "unit_price": "0.01", "name": "Cheap"}
    response = ada.post(f"{cart}items/", asked)
    line = dict(response.json()["items"][0])
    assert (response.status_code, response["ETag"]) == (201, '"2"')
    assert line.pop("id")
    assert line == {
        "item_id": "book_1",
        "item_type": "book",
        "name": "Clean Code",
        "unit_price": "29.99",
        "quantity": 2,
        "line_total": "59.98",
        "available": True,
        "problem": None,
        "stock": 50,
        "price_changed": False,
        "price_when_added": "29.99",
        "weight_g": None,
        "live": True,
    }
    assert response.json()["total_price"] == "59.98"


def test_product_id_is_another_word_for_item_id(cart: str, ada: Caller, sells: Sells) -> None:
    assert ada.post(f"{cart}items/", {"product_id": sells(), "quantity": 1}).status_code == 201


def test_the_same_item_again_adds_up_at_its_present_price(cart: str, line: str, ada: Caller, sells: Sells) -> None:
    response = ada.post(f"{cart}items/", {"item_id": sells(price="10.00"), "quantity": 3})
    assert [(each["quantity"], each["unit_price"]) for each in response.data["items"]] == [(5, "10.00")]
    assert (response.status_code, response.data["version"], response.data["total_price"]) == (201, 3, "50.00")


@pytest.mark.parametrize("quantity", [0, -1, 1e9, 1.5, "two", None, True, [], 1000, "1" * 2000])
def test_a_quantity_is_a_whole_number_from_1_to_999(
    cart: str, line: str, ada: Caller, sells: Sells, quantity: Any
) -> None:
    before = kept(ada, cart)
    for response in (
        ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": quantity}),
        ada.patch(line, {"quantity": quantity}),
    ):
        assert (response.status_code, response.json()["code"]) == (400, "invalid")
        assert list(response.json()["details"]) == ["quantity"]
    assert kept(ada, cart) == before


@pytest.mark.parametrize(
    "which",
    [
        {},
        {"item_id": None},
        {"item_id": ""},
        {"item_id": "a/b"},
        {"item_id": ".."},
        {"item_id": "a", "product_id": "b"},
    ],
)
def test_what_names_no_item_is_refused(cart: str, ada: Caller, which: dict[str, Any]) -> None:
    response = ada.post(f"{cart}items/", {**which, "quantity": 1})
    assert response.status_code == 400
    assert list(response.json()["details"]) == ["item_id"]


def test_a_malformed_body_is_400_and_another_type_415(cart: str, ada: Caller) -> None:
    assert ada.post(f"{cart}items/", "{", content_type="application/json").status_code == 400
    assert ada.post(f"{cart}items/", "a=b", content_type="application/x-www-form-urlencoded").status_code == 415


def refused(code: str, status: int) -> dict[str, Any]:
    return {"json": {"error": "No.", "code": code, "details": {}, "request_id": ""}, "status": status}


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"json": {"items": {}}}, 400, "unknown_item"),
        (refused("internal_error", 500), 503, "unavailable"),
        ({"body": requests.ConnectionError()}, 503, "unavailable"),
        ({"body": requests.Timeout()}, 503, "unavailable"),
        ({"json": {"id": "book_1"}}, 503, "unavailable"),
        ({"json": {"items": {"book_1": None}}}, 503, "unavailable"),
        ({"json": []}, 503, "unavailable"),
        ({"body": "<html>"}, 503, "unavailable"),
    ],
)
def test_nothing_goes_in_unless_its_service_says_what_it_is(
    cart: str, ada: Caller, peers: responses.RequestsMock, answer: dict[str, Any], status: int, code: str
) -> None:
    peers.post(FACTS, **answer)
    response = ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 1})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert ada.get(cart).data["version"] == 1


def test_an_item_without_a_price_is_not_for_sale(cart: str, line: str, ada: Caller, sells: Sells) -> None:
    before = kept(ada, cart)
    response = ada.post(f"{cart}items/", {"item_id": sells("book_2", price=None), "quantity": 1})
    assert (response.status_code, response.json()["code"]) == (409, "not_for_sale")
    assert kept(ada, cart) == before


def test_an_item_that_has_lost_its_price_can_be_had_no_more_often(
    cart: str, line: str, ada: Caller, sells: Sells
) -> None:
    sells(price=None)
    before = kept(ada, cart)
    for response in (ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 1}), ada.patch(line, {"quantity": 3})):
        assert (response.status_code, response.json()["code"]) == (409, "not_for_sale")
    assert kept(ada, cart) == before


def test_no_more_goes_in_than_is_in_stock(cart: str, line: str, ada: Caller, sells: Sells) -> None:
    sells(stock=4)
    for response in (ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 3}), ada.patch(line, {"quantity": 5})):
        assert (response.status_code, response.json()["code"]) == (409, "out_of_stock")
    unchanged = ada.get(cart).json()
    assert (unchanged["items"][0]["quantity"], unchanged["version"]) == (2, 2)


def test_a_line_takes_999_at_most_however_they_are_added(cart: str, ada: Caller, sells: Sells) -> None:
    sells(stock=5000)
    assert ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 999}).status_code == 201
    response = ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 1})
    assert (response.status_code, response.json()["code"]) == (409, "quantity_limit")


def test_a_cart_takes_only_so_many_lines(cart: str, ada: Caller, sells: Sells) -> None:
    full = Cart.objects.get()
    values = {"cart": full, "item_type": "book", "name": "B", "unit_price": 1, "quantity": 1}
    CartLine.objects.bulk_create([CartLine(item_id=f"book_{n}", **values) for n in range(MAX_LINES)])
    assert ada.post(f"{cart}items/", {"item_id": sells("book_0"), "quantity": 1}).status_code == 201
    response = ada.post(f"{cart}items/", {"item_id": sells("book_new"), "quantity": 1})
    assert (response.status_code, response.json()["code"]) == (409, "cart_full")


def test_a_lines_quantity_can_be_set(line: str, ada: Caller) -> None:
    response = ada.patch(line, {"quantity": 7, "unit_price": "0.01"})
    assert (response.status_code, response["ETag"]) == (200, '"3"')
    assert response.data["total_price"] == "209.93"


def test_a_line_can_be_taken_out(cart: str, line: str, ada: Caller) -> None:
    response = ada.delete(line)
    assert (response.status_code, response["ETag"]) == (204, '"3"')
    assert ada.get(cart).data["items"] == []
    assert ada.delete(line).status_code == 404
    assert ada.get(cart).data["version"] == 3


def test_a_line_is_reached_through_its_own_cart_only(line: str, ada: Caller, bob: Caller) -> None:
    number = line.split("/")[-2]
    other = bob.post("/api/carts/").data["id"]
    for path in (line, f"/api/carts/{other}/items/{number}/"):
        assert bob.patch(path, {"quantity": 1}).status_code == 404
        assert bob.delete(path).status_code == 404
    assert bob.post(f"{line.split('items')[0]}items/", {"item_id": "book_1", "quantity": 1}).status_code == 404


@pytest.mark.parametrize("number", [NO_LINE, "1", "x"])
def test_a_line_that_is_not_there_is_404(cart: str, ada: Caller, number: str) -> None:
    assert ada.patch(f"{cart}items/{number}/", {"quantity": 1}).status_code == 404
    assert ada.delete(f"{cart}items/{number}/").status_code == 404


def test_a_change_of_a_version_that_is_no_more_is_412(cart: str, line: str, ada: Caller) -> None:
    old, new = {"HTTP_IF_MATCH": '"1"'}, {"HTTP_IF_MATCH": '"2"'}
    assert ada.post(f"{cart}items/", {"item_id": "book_1", "quantity": 1}, **old).status_code == 412
    assert ada.patch(line, {"quantity": 1}, **old).status_code == 412
    assert ada.delete(line, **old).status_code == 412
    assert ada.patch(line, {"quantity": 1}, **new).status_code == 200
    assert ada.patch(line, {"quantity": 1}, HTTP_IF_MATCH="nonsense").status_code == 400
