"""What the order service tells of a guest's orders, and what the guest looks at."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from guest_customer.models import Customer
from shopkit.auth import Identity
from shopkit.customers import services
from shopkit.customers.purchases import spent
from shopkit.testing import Caller, at_once, caller

pytestmark = pytest.mark.django_db
PATH = "/internal/customers/g1/orders/"
PAID = {
    "order_id": "o1",
    "version": 4,
    "status": "paid",
    "total": 34_99,
    "goods": 29_99,
    "refunded": 0,
    "currency": "USD",
    "placed_at": "2026-01-02T03:04:05Z",
}


@pytest.fixture
def guest() -> Customer:
    return Customer.objects.create(id="g1")


@pytest.fixture
def g1() -> Caller:
    return caller("g1", "guest")


def tell(path: str = PATH, **changes: Any) -> Response:
    client = APIClient()
    client.force_authenticate(user=Identity(service="customer_router"))
    return client.post(path, {**PAID, **changes}, format="json")


def test_an_order_that_was_told_is_in_the_history(guest: Customer, g1: Caller) -> None:
    assert tell().json() == {"applied": True}
    assert g1.get("/api/customers/me/history/").json()["orders"] == [
        {"order_id": "o1", "status": "paid", "total": "34.99", "currency": "USD", "placed_at": PAID["placed_at"]}
    ]


def test_orders_are_shown_the_latest_first(guest: Customer, g1: Caller) -> None:
    for order_id, day in (("o1", 2), ("o3", 4), ("o2", 3)):
        tell(order_id=order_id, placed_at=f"2026-01-0{day}T00:00:00Z")
    orders = g1.get("/api/customers/me/history/").json()["orders"]
    assert [each["order_id"] for each in orders] == ["o3", "o2", "o1"]


@pytest.mark.parametrize("version", [3, 4])
def test_what_is_not_newer_changes_nothing(guest: Customer, version: int) -> None:
    tell()
    assert tell(version=version, status="pending", total=0).json() == {"applied": False}
    assert guest.purchases.get().status == "paid"


def test_what_is_newer_takes_the_place_of_the_old(guest: Customer) -> None:
    tell()
    assert tell(version=7, status="refunded", refunded=1000).json() == {"applied": True}
    kept = guest.purchases.get()
    assert (kept.order_version, kept.status, kept.refunded) == (7, "refunded", 1000)


@pytest.mark.parametrize("change", [{"version": 0}, {"total": -1}, {"goods": "x"}, {"placed_at": "soon"}])
def test_what_makes_no_sense_is_refused(guest: Customer, change: dict[str, Any]) -> None:
    answer = tell(**change)
    assert (answer.status_code, list(answer.json()["details"])) == (400, list(change))


def test_an_order_of_nobody_is_not_found() -> None:
    assert tell().status_code == 404


@pytest.mark.parametrize("identity", [Identity(is_staff=True), Identity("g1"), Identity("g1", service="cart_service")])
def test_only_a_service_for_itself_tells_of_orders(guest: Customer, identity: Identity) -> None:
    client = APIClient()
    client.force_authenticate(user=identity)
    assert client.post(PATH, PAID, format="json").status_code == 403


def test_orders_of_who_moved_are_to_be_told_where_they_are(guest: Customer) -> None:
    Customer.objects.update(moved_to="vip")
    answer = tell()
    assert (answer.status_code, answer["Location"]) == (307, "/internal/vip-customer/g1/orders/")


def test_the_typed_path_is_the_same(guest: Customer) -> None:
    assert tell("/internal/guest-customer/g1/orders/").json() == {"applied": True}


def test_nothing_is_written_while_a_guest_moves(guest: Customer, g1: Caller) -> None:
    Customer.objects.update(moving_to="registered")
    for answer in (tell(), g1.post("/api/customers/me/history/", {"item_id": "book_1"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "moving")
    assert (guest.purchases.count(), guest.viewed_items.count()) == (0, 0)


def test_forgetting_a_guest_keeps_their_orders_and_still_takes_news_of_them(guest: Customer, g1: Caller) -> None:
    tell()
    g1.post("/api/customers/me/history/", {"item_id": "book_1"})
    assert g1.delete("/api/customers/me/").status_code == 204
    assert tell(version=5, status="fulfilling").json() == {"applied": True}
    assert (guest.purchases.get().status, guest.viewed_items.count()) == ("fulfilling", 0)


def test_spent_are_the_goods_of_paid_orders_less_refunds_since_a_moment(guest: Customer) -> None:
    now = timezone.now()
    for number, changes in enumerate(
        (
            {"goods": 100, "status": "delivered"},
            {"goods": 1000, "refunded": 300, "status": "refunded"},
            {"goods": 50, "refunded": 70, "status": "refunded"},  # shipping too
            {"goods": 7, "status": "cancelled"},
            {"goods": 9, "placed_at": now - timedelta(days=366)},
        )
    ):
        tell(order_id=f"o{number}", **{"placed_at": now, **changes})
    assert spent(customer=guest, since=now - timedelta(days=365)) == 800


def test_a_viewed_item_comes_first_and_once(guest: Customer, g1: Caller) -> None:
    for item in ("book_1", "book_2", "book_1"):
        answer = g1.post("/api/customers/g1/history/", {"item_id": item})
        assert (answer.status_code, set(answer.json())) == (201, {"item_id", "viewed_at"})
    viewed = g1.get("/api/customers/me/history/").json()["viewed_items"]
    assert [each["item_id"] for each in viewed] == ["book_1", "book_2"]


def test_only_the_latest_views_are_kept(guest: Customer, g1: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_VIEWED", 2)
    for number in range(4):
        g1.post("/api/customers/me/history/", {"item_id": f"book_{number}"})
    assert [each.item_id for each in guest.viewed_items.all()] == ["book_3", "book_2"]


@pytest.mark.parametrize("body", [{}, {"item_id": ""}, {"item_id": "x" * 101}])
def test_a_view_of_nothing_is_refused(guest: Customer, g1: Caller, body: dict[str, str]) -> None:
    assert g1.post("/api/customers/me/history/", body).status_code == 400


def test_a_strangers_history_is_not_to_be_written(guest: Customer) -> None:
    answer = caller("g2", "guest").post("/api/customers/g1/history/", {"item_id": "book_1"})
    assert answer.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_news_that_arrive_at_once_the_newest_stays(guest: Customer) -> None:
    answers = at_once(lambda number: tell(version=number + 1, total=number).status_code, 16)
    assert set(answers) == {200}
    kept = guest.purchases.get()
    assert (kept.order_version, kept.total) == (16, 15)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_views_of_an_item_one_row_remains(guest: Customer) -> None:
    def view(_number: int) -> int:
        return caller("g1", "guest").post("/api/customers/me/history/", {"item_id": "book_1"}).status_code

    assert set(at_once(view, 16)) == {201}
    assert guest.viewed_items.count() == 1
