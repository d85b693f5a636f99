"""A review is verified when the order service says that its author has bought the item, whenever it says so."""

import itertools
import uuid
from typing import Any

import pytest

from shopkit.auth import Identity
from shopkit.items import purchases
from shopkit.testing import Caller, caller

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def book(staff: Caller) -> str:
    return str(staff.post("/api/books/", {"name": "Emma", "author": "J", "price": "9.99", "stock": 9}).json()["id"])


def take(order: str, step: str, book: str, quantity: int = 2, **more: Any) -> int:
    orders = Caller(HTTP_HOST="localhost")
    orders.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    return orders.post(f"/internal/reservations/{order}/{step}/", {"lines": {book: quantity}, **more}).status_code


def sell(book: str, who: str | None, quantity: int = 2) -> str:
    order = str(uuid.uuid4())
    assert take(order, "reserve", book, quantity) == 200
    assert take(order, "commit", book, quantity, customer_id=who) == 200
    return order


def verified(book: str, who: str = "ada") -> bool:
    """As its author, and anybody else, sees their review, which is made if it is not there."""
    path = f"/api/books/{book}/reviews/"
    made = caller(who).post(path, {"rating": 5})
    mine = caller(who).get(f"{path}mine/").json()
    listed = next(each for each in caller("x").get(path).json()["results"] if each["id"] == mine["id"])
    assert mine["verified"] == listed["verified"]
    assert made.status_code == 409 or made.json()["verified"] == mine["verified"]
    return bool(mine["verified"])


def test_who_has_bought_it_wrote_a_verified_review_before_or_after(book: str) -> None:
    assert not verified(book, "ada")
    sell(book, "ada")
    sell(book, "bob")
    assert verified(book, "ada")
    assert verified(book, "bob")
    assert not verified(book, "eve")


def test_what_is_only_held_is_not_bought(book: str) -> None:
    assert take(str(uuid.uuid4()), "reserve", book) == 200
    assert not verified(book)


def test_a_customer_keeps_it_whatever_type_they_become(book: str) -> None:
    sell(book, "ada")
    assert verified(book)
    assert caller("ada", "vip").get(f"/api/books/{book}/reviews/mine/").json()["verified"]


def test_what_comes_back_whole_was_not_bought_and_what_comes_back_in_part_was(book: str) -> None:
    order = sell(book, "ada")
    assert take(order, "restock", book, 1, key="part") == 200
    assert take(order, "restock", book, 1, key="part") == 200
    assert verified(book)
    assert take(order, "restock", book, 1, key="rest") == 200
    assert not verified(book)
    other = sell(book, "ada")
    assert verified(book)
    assert take(other, "restock", book, 2, key="undo") == 200
    assert not verified(book)


def test_what_a_guest_bought_is_the_customers_who_they_turn_out_to_be(book: str) -> None:
    order = sell(book, "guest-1")
    assert take(order, "buyer", book, customer_id="ada") == 200
    assert verified(book, "ada")
    assert not verified(book, "guest-1")


def test_what_was_refunded_whole_was_not_bought(book: str) -> None:
    order = sell(book, "ada")
    assert take(order, "buyer", book, customer_id=None) == 200
    assert not verified(book)


def test_what_an_order_was_not_sold_is_nobodys(book: str) -> None:
    assert take(str(uuid.uuid4()), "buyer", book, customer_id="ada") == 200
    assert not verified(book)


def test_an_order_that_undoes_what_it_was_never_sold_leaves_nothing(book: str) -> None:
    assert take(str(uuid.uuid4()), "restock", book, key="undo") == 200
    assert purchases.purchases().count_documents({}) == 0


@pytest.mark.parametrize("told", sorted(set(itertools.permutations(["bought", "bought", "back"]))))
def test_in_whatever_order_and_however_often_it_is_told_it_comes_to_the_same(book: str, told: list[str]) -> None:
    for each in told:
        if each == "bought":
            purchases.note(order_id="o", lines={book: 2}, customer_id="ada")
        else:
            purchases.give_back(order_id="o", lines={book: 2}, key="undo")
    assert not verified(book)


def test_a_sale_told_without_its_customer_verifies_nobody(book: str) -> None:
    sell(book, None)
    assert not verified(book)


def test_a_deleted_items_purchases_go_with_it(book: str, staff: Caller) -> None:
    sell(book, "ada")
    assert staff.delete(f"/api/books/{book}/").status_code == 204
    assert purchases.purchases().count_documents({}) == 0
