"""A guest signs in to an account: what they paid, and what they have yet to pay, is the account's."""

import pytest

from paying_service.models import Payment
from paying_service.tests.asking import due, offer, opened
from shopkit.testing import Caller, caller, service_token

pytestmark = pytest.mark.django_db
SIGN_IN = {"guest_id": "g1", "customer_id": "ada", "customer_type": "registered"}


def sign_in(by: str = "customer_router") -> int:
    told = Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {service_token('paying_service', by=by)}")
    return int(told.post("/internal/sign-ins/", SIGN_IN).status_code)


def test_who_tells_of_sign_ins_gives_payments_away_and_no_other_service() -> None:
    opened(customer_id="g1", customer_type="guest")
    assert sign_in("order_service") == 403
    assert Payment.objects.get().customer_id == "g1"
    assert sign_in() == 204
    assert (Payment.objects.get().customer_id, Payment.objects.get().customer_type) == ("ada", "registered")


def test_a_guests_payments_are_shown_to_the_account_and_to_the_guest_no_more(ada: Caller) -> None:
    payment = Payment.objects.get(pk=opened(customer_id="g1", customer_type="guest"))
    opened(customer_id="g2", customer_type="guest")
    for _ in range(2):
        assert sign_in() == 204
    assert [each["id"] for each in ada.get("/api/payments/").json()["results"]] == [str(payment.pk)]
    assert ada.get(f"/api/payments/status/{payment.order_id}/").status_code == 200
    assert caller("g1", "guest").get(f"/api/payments/{payment.pk}/").status_code == 404


def test_what_a_guest_has_yet_to_pay_the_account_may_pay(ada: Caller) -> None:
    order, other = due("g1"), due("g2")
    assert ada.post("/api/payments/", offer(order)).json()["code"] == "unknown_order"
    sign_in()
    assert ada.post("/api/payments/", offer(order)).status_code == 202
    assert ada.post("/api/payments/", offer(other)).json()["code"] == "unknown_order"


def test_who_read_a_payment_before_the_sign_in_changes_nothing_by_its_version(staff: Caller) -> None:
    payment = opened(customer_id="g1", customer_type="guest")
    before = staff.get(f"/api/payments/{payment}/")["ETag"]
    sign_in()
    assert staff.get(f"/api/payments/{payment}/")["ETag"] != before
