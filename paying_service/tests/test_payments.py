"""Payments: asking, reading, moving forward and deleting."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from paying_service.models import DELETABLE, TRANSITIONS, Payment, Status
from paying_service.tests.conftest import demand
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
CARD = "4111111111111111"
NOWHERE = "/api/payments/00000000-0000-4000-8000-000000000000/"
PATH_TO = {
    "pending": [],
    "requires_action": ["requires_action"],
    "authorised": ["authorised"],
    "captured": ["authorised", "captured"],
    "partially_refunded": ["captured", "partially_refunded"],
    "refunded": ["captured", "refunded"],
    "voided": ["authorised", "voided"],
    "failed": ["failed"],
}
Brings = Callable[[str], str]


@pytest.fixture
def brought_to(payment: str, staff: Caller) -> Brings:
    """Moves the payment to a status step by step, and gives its path."""

    def bring(status: str) -> str:
        for step in PATH_TO[status]:
            assert staff.patch(payment, {"status": step}).status_code == 200
        return payment

    return bring


def test_staff_ask_for_an_amount(staff: Caller) -> None:
    asked = demand()
    response = staff.post("/api/payments/", asked)
    assert (response.status_code, response["ETag"]) == (202, '"1"')
    assert response.json() | asked | {"status": "pending", "version": 1} == response.json()


def test_a_customer_cannot_say_what_they_owe(ada: Caller, payment: str) -> None:
    asked = ada.post("/api/payments/", demand(token=CARD))
    assert (asked.status_code, asked.json()["code"]) == (400, "unknown_order")
    assert ada.patch(payment, {"status": "captured"}).status_code == 403
    assert ada.delete(payment).status_code == 403


def test_a_card_that_is_sent_along_is_kept_nowhere(staff: Caller, capfd: pytest.CaptureFixture[str]) -> None:
    sent = demand(token=CARD, card_number=CARD, card={"number": CARD}, status="captured")
    response = staff.post("/api/payments/", sent)
    assert (response.status_code, response.data["status"]) == (202, "pending")
    assert CARD not in response.content.decode()
    assert CARD not in json.dumps(list(Payment.objects.values()), default=str)
    assert CARD not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": "x"},
        {"order_id": None},
        {"provider": "barter"},
        {"method": CARD},
        {"amount": "0.00"},
        {"amount": "-1.00"},
        {"amount": "1.005"},
        {"amount": "1e400"},
        {"amount": "NaN"},
        {"amount": "99999999999.00"},
        {"amount": True},
        {"currency": "EUR"},
        {"customer_id": "x" * 65},
    ],
)
def test_an_invalid_demand_is_refused_by_field(staff: Caller, changes: dict[str, Any]) -> None:
    response = staff.post("/api/payments/", demand(**changes))
    assert response.status_code == 400
    assert list(response.json()["details"]) == list(changes)


def test_a_malformed_body_is_400_and_another_type_415(staff: Caller, payment: str) -> None:
    for ask, path in ((staff.post, "/api/payments/"), (staff.patch, payment)):
        assert ask(path, "{", content_type="application/json").status_code == 400
        assert ask(path, "[]", content_type="application/json").status_code == 400
        assert ask(path, "a=b", content_type="text/plain").status_code == 415


def test_a_payment_is_its_customers_and_staffs(payment: str, ada: Caller, bob: Caller, staff: Caller) -> None:
    order_id = staff.get(payment).data["order_id"]
    for path in (payment, f"/api/payments/status/{order_id}/"):
        assert [each.get(path).status_code for each in (ada, bob, staff)] == [200, 404, 200]


def test_lists_are_of_ones_own_payments_and_to_staff_of_all(ada: Caller, bob: Caller, staff: Caller) -> None:
    first = staff.post("/api/payments/", demand()).data
    staff.post("/api/payments/", demand(customer_id="bob"))
    assert [each.get("/api/payments/").data["count"] for each in (ada, bob, staff)] == [1, 1, 2]
    assert staff.get(f"/api/payments/?order_id={first['order_id']}").data["results"][0]["id"] == first["id"]
    assert staff.get("/api/payments/?status=captured").data["count"] == 0
    assert ada.get("/api/payments/?customer_id=bob").data["count"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "order_id=x",
        "status=lost",
        "page=-1",
        "page_size=1000000000",
        "ordering=order_id",
        "created_after=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(ada: Caller, query: str) -> None:
    assert ada.get(f"/api/payments/?{query}").status_code == 400


def test_the_status_of_an_order_is_that_of_its_latest_payment(staff: Caller, ada: Caller, payment: str) -> None:
    order_id = staff.get(payment).data["order_id"]
    staff.patch(payment, {"status": "failed"})
    second = staff.post("/api/payments/", demand(order_id=order_id)).data["id"]
    expected = {"order_id": order_id, "payment_id": second, "status": "pending"}
    assert ada.get(f"/api/payments/status/{order_id}/").json() == expected


@pytest.mark.parametrize("path", [NOWHERE, "/api/payments/1/", "/api/payments/x/"])
def test_a_payment_that_is_not_there_is_404(staff: Caller, path: str) -> None:
    answers = [staff.get(path), staff.patch(path, {"status": "failed"}), staff.delete(path)]
    assert [each.status_code for each in answers] == [404] * 3
    assert staff.get(path.replace("payments/", "payments/status/")).status_code == 404


@pytest.mark.parametrize(("start", "end"), list(product(PATH_TO, PATH_TO)))
def test_a_payment_moves_along_the_table_only(brought_to: Brings, staff: Caller, start: str, end: str) -> None:
    payment = brought_to(start)
    response = staff.patch(payment, {"status": end})
    if end in TRANSITIONS[start]:
        assert (response.status_code, response.data["status"]) == (200, end)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")
        assert staff.get(payment).data["status"] == start


def test_the_table_names_every_status_and_has_no_way_back() -> None:
    assert set(TRANSITIONS) == set(Status) == set(PATH_TO)
    seen: set[str] = set()
    while len(seen) < len(TRANSITIONS):  # each round takes those that lead only to what was seen
        ends = {status for status, targets in TRANSITIONS.items() if targets <= seen} - seen
        assert ends
        seen |= ends


def test_only_the_status_can_be_changed(payment: str, staff: Caller) -> None:
    response = staff.patch(payment, {"status": "authorised", "amount": "0.01", "order_id": "x"})
    assert (response.status_code, response.data["amount"]) == (200, "64.98")
    for body in ({}, {"status": "lost"}, {"status": None}):
        assert staff.patch(payment, body).status_code == 400


def test_a_change_of_a_version_that_is_no_more_is_412(payment: str, staff: Caller) -> None:
    assert staff.patch(payment, {"status": "authorised"}, HTTP_IF_MATCH='"1"').status_code == 200
    assert staff.patch(payment, {"status": "captured"}, HTTP_IF_MATCH='"1"').status_code == 412


@pytest.mark.parametrize("status", sorted(Status))
def test_staff_delete_only_what_moved_no_money(brought_to: Brings, staff: Caller, status: str) -> None:
    response = staff.delete(brought_to(status))
    if status in DELETABLE:
        assert (response.status_code, Payment.objects.count()) == (204, 0)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "not_deletable")
