"""A checkout through the gateway, on real services: paid, declined, late, confirmed, given back, cancelled."""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from shopkit.config import ROOT
from shopkit.runner import state
from tests.buyers import rows
from tests.fleet import Fleet
from tests.people import ADDRESS
from tests.waiting import PATIENCE, wait_for

ADA = {"X-User-ID": "ada-buys", "X-Customer-Type": "registered"}
PRICE = "12.50"
EMPTY = state.State(0, {}, {})


def card(number: str) -> dict[str, str]:
    return {"provider": "simulated", "method": "card", "token": number}


class Shop:
    """Ada, a book of which there are five, and what she does with it; or another customer."""

    def __init__(self, fleet: Fleet, stock: int = 5, ada: dict[str, str] = ADA) -> None:
        self.fleet, self.headers = fleet, ada
        body = {"name": "Scarce", "author": "A", "price": PRICE, "stock": stock}
        self.book = fleet.call("POST", "/api/books/", json=body).json()["id"]

    def ada(self, method: str, path: str, json: object = None, **headers: str) -> requests.Response:
        return self.fleet.call(method, path, json=json, headers={**self.headers, **headers})

    def cart(self, quantity: int = 1) -> str:
        cart = self.ada("POST", "/api/carts/").json()["id"]
        line = {"item_id": self.book, "quantity": quantity}
        assert self.ada("POST", f"/api/carts/{cart}/items/", line).status_code == 201
        return str(cart)

    def wish(self, payment: dict[str, str] | None = None, quantity: int = 1) -> dict[str, Any]:
        wish = {"cart_id": self.cart(quantity), "shipping_address": ADDRESS, "shipping_method": "standard"}
        return {**wish, **({"payment": payment} if payment else {})}

    def place(self, payment: dict[str, str] | None = None, quantity: int = 1) -> str:
        answer = self.ada("POST", "/api/orders/", self.wish(payment, quantity))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def order(self, order: str) -> Any:
        return self.ada("GET", f"/api/orders/{order}/").json()

    def becomes(self, order: str, status: str) -> Any:
        wait_for(lambda: self.order(order)["status"] == status)
        return self.order(order)

    def payment(self, order: str) -> Any:
        return self.ada("GET", f"/api/payments/?order_id={order}").json()["results"][0]

    @property
    def stock(self) -> int:
        """At the service itself: at the gateway, others may be a second behind."""
        return int(self.fleet.get(f"/api/books/{self.book}/", at="book_service").json()["stock"])


@pytest.fixture
def shop(fleet: Fleet) -> Shop:
    return Shop(fleet)


def test_an_order_is_paid_shipped_and_delivered_by_itself(shop: Shop) -> None:
    order = shop.place(card("4111111111111111"), quantity=2)
    paid = shop.becomes(order, "delivered")
    payment = shop.payment(order)
    assert (payment["status"], payment["captured"]) == ("captured", paid["total"])
    assert shop.stock == 3
    parcel = shop.fleet.get(f"/api/shipments/track/{paid['tracking_number']}/").json()
    assert parcel["status"] == "delivered"
    steps = [step["name"] for step in shop.ada("GET", f"/api/orders/{order}/timeline/").json()["results"]]
    assert steps == ["placed", "reserve", "authorise", "commit", "capture", "ship", "shipped", "delivered"]


@pytest.mark.parametrize(
    ("number", "code"), [("4000000000000002", "declined"), ("4000000000009995", "insufficient_funds")]
)
def test_a_card_that_is_declined_costs_nothing_and_frees_the_goods(shop: Shop, number: str, code: str) -> None:
    order = shop.place(card(number))
    shop.becomes(order, "payment_failed")
    payment = shop.payment(order)
    assert (payment["status"], payment["failure_code"], payment["captured"]) == ("failed", code, "0.00")
    assert shop.stock == 5


def test_a_success_that_is_late_is_waited_for(shop: Shop) -> None:
    order = shop.place(card("4000000000000341"))
    shop.becomes(order, "reserved")
    shop.becomes(order, "fulfilling")


@pytest.mark.parametrize(("outcome", "status"), [("confirm", "fulfilling"), ("decline", "payment_failed")])
def test_a_payment_that_needs_its_customer_waits_for_them(shop: Shop, outcome: str, status: str) -> None:
    order = shop.place(card("4000002500003155"))
    wait_for(lambda: shop.payment(order)["status"] == "requires_action")
    assert shop.stock == 4
    assert (
        shop.ada("POST", f"/api/payments/{shop.payment(order)['id']}/simulate/", {"outcome": outcome}).status_code
        == 200
    )
    shop.becomes(order, status)
    assert shop.stock == (4 if status == "fulfilling" else 5)


def test_a_customer_pays_on_the_providers_page(shop: Shop) -> None:
    order = shop.place()
    wish = {"order_id": order}
    begin = lambda: shop.ada("POST", "/api/payments/create-checkout-session/", wish)  # noqa: E731
    wait_for(lambda: begin().status_code == 201)  # as soon as the order service has said what is due
    page = begin().json()["url"]
    assert "declined" in requests.post(page, data={"card": "4000000000000002"}, timeout=20).text
    assert "authorised" in requests.post(page, data={"card": "4111111111111111"}, timeout=20).text
    shop.becomes(order, "fulfilling")
    assert shop.payment(order)["status"] == "captured"


def test_an_order_can_be_paid_later_once(shop: Shop) -> None:
    order = shop.place()
    offer = {"order_id": order, **card("4111111111111111")}
    paid = lambda: shop.ada("POST", "/api/payments/", offer).status_code == 202  # noqa: E731
    wait_for(paid)  # as soon as the order service has said what is due
    shop.becomes(order, "fulfilling")
    payments = shop.ada("GET", f"/api/payments/?order_id={order}").json()["results"]
    assert [each["status"] for each in payments].count("captured") == 1


def test_nobody_pays_for_anothers_order(shop: Shop) -> None:
    order = shop.place()
    bob = {"X-User-ID": "bob", "X-Customer-Type": "registered"}
    offer = {"order_id": order, **card("4111111111111111")}
    answer = shop.fleet.call("POST", "/api/payments/", json=offer, headers=bob)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_order")


def test_an_order_that_waits_is_cancelled_and_all_is_undone(shop: Shop) -> None:
    order = shop.place(card("4000002500003155"))
    wait_for(lambda: shop.payment(order)["status"] == "requires_action")
    assert shop.ada("POST", f"/api/orders/{order}/cancel/").status_code == 200
    shop.becomes(order, "cancelled")
    assert (shop.payment(order)["status"], shop.stock) == ("voided", 5)


def test_what_staff_give_back_is_given_back_once(shop: Shop) -> None:
    order = shop.place(card("4111111111111111"))
    total = shop.becomes(order, "fulfilling")["total"]
    path = f"/api/payments/{shop.payment(order)['id']}/refund/"
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = [shop.fleet.call("POST", path, json={"amount": "2.50"}, headers=key).status_code for _ in range(3)]
    assert answers == [200] * 3
    wait_for(lambda: shop.order(order)["refunded"] == "2.50")
    too_much = shop.fleet.call("POST", path, json={"amount": total})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_exceeds_capture")
    assert shop.fleet.call("POST", path, json={}).status_code == 200
    wait_for(lambda: shop.order(order)["status"] == "refunded")
    assert shop.payment(order)["refunded"] == total


def test_one_key_is_one_order(shop: Shop) -> None:
    wish, key = shop.wish(card("4111111111111111")), {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (shop.ada("POST", "/api/orders/", wish, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["Idempotent-Replayed"] == "true"
    other = shop.ada("POST", "/api/orders/", {**wish, "email": "x@example.com"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_card_that_is_none_makes_no_order(shop: Shop) -> None:
    answer = shop.ada("POST", "/api/orders/", shop.wish(card("1234")))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


def test_no_card_number_is_in_any_log_or_database(shop: Shop) -> None:
    shop.becomes(shop.place(card("4111111111111111")), "fulfilling")
    for path in [*(shop.fleet.data / "logs").iterdir(), *shop.fleet.data.glob("*.sqlite3*")]:
        assert b"4111111111111111" not in path.read_bytes(), path.name


def wait_for_clean_books(fleet: Fleet, *, seconds: float = PATIENCE) -> None:
    """Until the auditor finds nothing wrong any more; that is a process of its own each time."""
    wait_for(lambda: audit(fleet).returncode == 0, seconds=seconds, every=2)


def audit(fleet: Fleet) -> subprocess.CompletedProcess[str]:
    """The auditor, as an operator runs it; until nothing moves any more, it may see an order half way."""
    environment = {**os.environ, **fleet.environment, **(state.read(fleet.data) or EMPTY).environment}
    command = [sys.executable, "manage.py", "order_service", "audit"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_auditor_finds_nothing_wrong(shop: Shop) -> None:
    orders = [shop.place(card(number)) for number in ("4111111111111111", "4000000000000002")]
    shop.becomes(orders[0], "fulfilling")
    shop.becomes(orders[1], "payment_failed")
    wait_for_clean_books(shop.fleet)


def test_the_auditor_finds_what_is_wrong_and_says_where(shop: Shop) -> None:
    order = shop.place(card("4111111111111111"))
    shop.becomes(order, "fulfilling")
    wait_for_clean_books(shop.fleet)
    book = shop.place(card("4000002500003155"))
    shop.becomes(book, "reserved")
    assert audit(shop.fleet).returncode == 0  # what is held for who still waits is right
    with items_of(shop.fleet) as items:
        items.update_one({"_id": shop.book}, {"$inc": {"available": 1}})
    try:
        found = audit(shop.fleet)
        assert (found.returncode, "stock adds up" in found.stdout, shop.book in found.stdout) == (1, True, True)
    finally:
        with items_of(shop.fleet) as items:
            items.update_one({"_id": shop.book}, {"$inc": {"available": -1}})


@contextlib.contextmanager
def items_of(fleet: Fleet) -> Iterator[Any]:
    url = (state.read(fleet.data) or EMPTY).environment.get("MONGO_URL") or os.environ["MONGO_URL"]
    with MongoClient(url) as client:
        yield client["book_service"]["items"]


def test_of_many_buyers_as_many_get_one_as_there_are(fleet: Fleet) -> None:
    shop = Shop(fleet, stock=10)
    wishes = [shop.wish(card("4111111111111111")) for _ in range(40)]
    with ThreadPoolExecutor(16) as pool:
        answers = [answer.json() for answer in pool.map(lambda wish: shop.ada("POST", "/api/orders/", wish), wishes)]
    placed = [answer["id"] for answer in answers if "id" in answer]
    assert {answer["code"] for answer in answers if "id" not in answer} <= {"out_of_stock"}
    ends = ("cancelled", "fulfilling", "shipped", "delivered")
    wait_for(lambda: all(shop.order(order)["status"] in ends for order in placed))
    sold = [order for order in placed if shop.order(order)["status"] != "cancelled"]
    assert (len(sold), shop.stock) == (10, 0)


def test_a_cart_posted_by_many_at_once_is_one_order_and_one_charge(fleet: Fleet) -> None:
    """And of the payments that those had opened who came second, none stays open."""
    customer = {**ADA, "X-User-ID": f"ada-{uuid.uuid4()}"}
    shop = Shop(fleet, ada=customer)
    wish = shop.wish(card("4111111111111111"))
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _turn: shop.ada("POST", "/api/orders/", wish), range(100)))
    placed = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert (len(placed), {answer.status_code for answer in answers}) == (1, {201, 409})
    shop.becomes(placed[0], "fulfilling")
    payments = rows(fleet, "/api/payments/", customer)
    assert [each["order_id"] for each in payments if each["status"] == "captured"] == placed
    assert {each["status"] for each in payments} <= {"captured", "voided"}
    assert shop.stock == 4
