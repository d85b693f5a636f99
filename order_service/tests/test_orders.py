"""Orders once they are there: reading, changing, moving, cancelling and deleting them."""

import uuid
from collections.abc import Callable
from itertools import product

import pytest

from order_service import services
from order_service.models import DELETABLE, TRANSITIONS, Order, OrderEvent, Saga, Status
from order_service.services import BY_HAND
from order_service.tests.conftest import ADDRESS, Fills, wish
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NOWHERE = "/api/orders/00000000-0000-4000-8000-000000000000/"
PATH_TO = {
    "pending": [],
    "reserved": ["reserved"],
    "authorised": ["reserved", "authorised"],
    "paid": ["reserved", "authorised", "paid"],
    "fulfilling": ["reserved", "authorised", "paid", "fulfilling"],
    "shipped": ["reserved", "authorised", "paid", "fulfilling", "shipped"],
    "delivered": ["reserved", "authorised", "paid", "fulfilling", "shipped", "delivered"],
    "cancelled": ["cancelled"],
    "expired": ["expired"],
    "payment_failed": ["reserved", "payment_failed"],
    "refunded": ["reserved", "authorised", "paid", "refunded"],
}
SAGA_AT = {"pending": "reserve", "reserved": "authorise", "authorised": "commit"}
Brings = Callable[[str], str]


@pytest.fixture
def brought_to(order: str, staff: Caller) -> Brings:
    """Moves the order to a status step by step, and gives its path."""

    def bring(status: str) -> str:
        for step in PATH_TO[status]:
            services.move(order=Order.objects.get(), to=step, name=step)
        Saga.objects.update(step=SAGA_AT.get(status, Saga.Step.DONE))
        return order

    return bring


def test_an_order_is_its_customers_and_staffs(order: str, ada: Caller, bob: Caller, staff: Caller) -> None:
    assert [each.get(order).status_code for each in (ada, bob, staff)] == [200, 404, 200]
    assert bob.patch(order, {"email": "bob@example.com"}).status_code == 404
    assert bob.post(f"{order}cancel/").status_code == 404
    assert bob.get(f"{order}timeline/").status_code == 404


def test_lists_are_of_ones_own_orders_and_to_staff_of_all(
    ada: Caller, bob: Caller, staff: Caller, fills: Fills
) -> None:
    for each, owner in ((ada, "ada"), (ada, "ada"), (bob, "bob")):
        each.post("/api/orders/", wish(fills(owner_id=owner)))
    assert [each.get("/api/orders/").data["count"] for each in (ada, bob, staff)] == [2, 1, 3]
    assert staff.get("/api/orders/?customer_id=bob").data["count"] == 1
    assert ada.get("/api/orders/?customer_id=bob").data["count"] == 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=pending", 1),
        ("status=paid", 0),
        ("created_after=2020-01-01", 1),
        ("created_after=2999-01-01T00:00:00Z", 0),
        ("created_before=2999-01-01T00:00:00Z", 1),
        ("created_before=2020-01-01", 0),
        ("ordering=-total", 1),
    ],
)
def test_lists_can_be_narrowed(order: str, ada: Caller, query: str, count: int) -> None:
    assert ada.get(f"/api/orders/?{query}").data["count"] == count


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "created_after=soon",
        "created_before=9999-12-31T23:59:59-14:00",
        "created_after=0001-01-01T00:00:00%2B14:00",
        "page=-1",
        "page_size=1000000000",
        "ordering=email",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(order: str, ada: Caller, query: str) -> None:
    assert ada.get(f"/api/orders/?{query}").status_code == 400


@pytest.mark.parametrize("path", [NOWHERE, "/api/orders/1/", "/api/orders/x/"])
def test_an_order_that_is_not_there_is_404(staff: Caller, path: str) -> None:
    answers = [staff.get(path), staff.patch(path, {}), staff.delete(path), staff.post(f"{path}cancel/")]
    assert [each.status_code for each in [*answers, staff.get(f"{path}timeline/")]] == [404] * 5


def test_a_pending_orders_email_and_address_can_be_changed(order: str, ada: Caller) -> None:
    change = {"email": "new@example.com", "shipping_address": {**ADDRESS, "city": "Leeds"}}
    response = ada.patch(order, change)
    assert (response.status_code, response["ETag"]) == (200, '"2"')
    assert (response.data["email"], response.data["shipping_address"]["city"]) == ("new@example.com", "Leeds")
    assert OrderEvent.objects.last().name == "changed"


def test_an_address_is_changed_whole(order: str, ada: Caller) -> None:
    response = ada.patch(order, {"shipping_address": {"city": "Leeds"}})
    assert response.status_code == 400
    assert "shipping_address.line1" in response.json()["details"]


def test_a_customer_does_not_set_the_status_nor_the_total(order: str, ada: Caller) -> None:
    response = ada.patch(order, {"status": "paid", "total": "0.01", "customer_id": "bob"})
    assert (response.status_code, response.data["status"], response.data["total"]) == (200, "pending", "64.98")
    assert response.data["version"] == 1


def test_after_pending_email_and_address_stay(brought_to: Brings, ada: Caller, staff: Caller) -> None:
    order = brought_to("reserved")
    for each in (ada, staff):
        response = each.patch(order, {"email": "new@example.com"})
        assert (response.status_code, response.json()["code"]) == (409, "not_pending")


def test_a_change_of_a_version_that_is_no_more_is_412(order: str, ada: Caller) -> None:
    assert ada.patch(order, {"email": "a@example.com"}, HTTP_IF_MATCH='"1"').status_code == 200
    assert ada.patch(order, {"email": "b@example.com"}, HTTP_IF_MATCH='"1"').status_code == 412
    assert ada.patch(order, {"email": "b@example.com"}, HTTP_IF_MATCH="1").status_code == 400


@pytest.mark.parametrize(("start", "end"), list(product(PATH_TO, PATH_TO)))
def test_an_order_moves_along_the_table_only(brought_to: Brings, staff: Caller, start: str, end: str) -> None:
    order = brought_to(start)
    response = staff.patch(order, {"status": end})
    if end in TRANSITIONS[start]:
        assert (response.status_code, response.data["status"]) == (200, end)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")
        assert staff.get(order).data["status"] == start


@pytest.mark.parametrize("to", sorted(Status))
def test_what_a_payment_carries_out_is_not_done_by_hand(brought_to: Brings, staff: Caller, to: str) -> None:
    order = brought_to("fulfilling")
    Order.objects.update(payment_id=uuid.uuid4())
    response = staff.patch(order, {"status": to})
    if to in BY_HAND and to in TRANSITIONS["fulfilling"]:
        assert response.status_code == 200
    else:
        code = "not_by_hand" if to in TRANSITIONS["fulfilling"] else "illegal_transition"
        assert (response.status_code, response.json()["code"]) == (409, code)


def test_the_table_names_every_status() -> None:
    assert set(TRANSITIONS) == set(Status) == set(PATH_TO)


def test_a_status_that_does_not_exist_is_400(order: str, staff: Caller) -> None:
    assert staff.patch(order, {"status": "lost"}).status_code == 400


@pytest.mark.parametrize("status", sorted(Status))
def test_an_order_can_be_cancelled_until_money_is_taken(brought_to: Brings, ada: Caller, status: str) -> None:
    response = ada.post(f"{brought_to(status)}cancel/")
    if status in ("pending", "reserved", "authorised"):
        assert (response.status_code, response.data["status"]) == (200, "cancelled")
    else:
        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")


def test_the_timeline_is_a_path_of_the_table(brought_to: Brings, ada: Caller) -> None:
    body = ada.get(f"{brought_to('delivered')}timeline/").json()
    assert [each["to_status"] for each in body["results"]] == ["pending", *PATH_TO["delivered"]]
    assert [each["from_status"] for each in body["results"]] == ["", "pending", *PATH_TO["delivered"][:-1]]


@pytest.mark.parametrize("status", sorted(Status))
def test_staff_delete_only_what_nobody_waits_for(brought_to: Brings, staff: Caller, status: str) -> None:
    order = brought_to(status)
    response = staff.delete(order)
    if status in DELETABLE:
        assert (response.status_code, Order.objects.count()) == (204, 0)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "not_deletable")


def test_a_customer_deletes_nothing(order: str, ada: Caller) -> None:
    assert ada.delete(order).status_code == 403
