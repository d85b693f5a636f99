"""A guest's token, after its guest has made an account: what the guest has to pay, and nothing that came after."""

import pytest

from paying_service.models import Payment
from paying_service.tests.asking import due, offer, opened
from shopkit.testing import bearer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("secure")]
PAYMENTS = "/api/payments/"


def test_it_finds_the_guests_payments_and_none_of_the_account() -> None:
    visitor, ada = bearer("ada", "guest"), bearer("ada", "registered")
    first, later = opened(customer_type="guest"), opened()
    assert [row["id"] for row in visitor.get(PAYMENTS).data["results"]] == [first]
    assert visitor.get(f"{PAYMENTS}{first}/").status_code == 200
    assert visitor.get(f"{PAYMENTS}{later}/").status_code == 404
    assert visitor.post(f"{PAYMENTS}verify-payment/", {"payment_id": later}).status_code == 404
    assert {row["id"] for row in ada.get(PAYMENTS).data["results"]} == {first, later}


def test_it_pays_for_the_guests_order_and_for_none_of_the_account() -> None:
    visitor = bearer("ada", "guest")
    later = due()
    for path in ("", "create-checkout-session/", "create-payment-intent/"):
        assert visitor.post(f"{PAYMENTS}{path}", offer(later)).json()["code"] == "unknown_order"
    assert Payment.objects.count() == 0
    assert visitor.post(PAYMENTS, offer(due(customer_type="guest"))).status_code == 202


def test_a_payment_that_staff_recorded_is_its_customers_whatever_they_were() -> None:
    boss = bearer("grace", role="staff")
    by_hand = {"order_id": "00000000-0000-4000-8000-000000000001", "customer_id": "ada", "amount": "1.00"}
    made = boss.post(PAYMENTS, {**by_hand, "provider": "simulated", "method": "card"}).data["id"]
    for kind in ("guest", "registered"):
        assert bearer("ada", kind).get(f"{PAYMENTS}{made}/").status_code == 200
