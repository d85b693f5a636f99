"""Payments by Razorpay: one order for each payment, paid on its page, captured by hand, never refunded twice."""

import uuid
from typing import Any

import pytest
import requests

from paying_service import checkout
from paying_service.models import Payment, Refund
from paying_service.tests import asking, razorpays
from paying_service.tests.asking import AMOUNT, ask, due, offer, opened, shown
from paying_service.tests.razorpays import ORDER, PAID, Razorpay, many, order, paid, refused
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
CAPTURE, REFUND = f"/payments/{PAID}/capture", f"/payments/{PAID}/refund"


def begun() -> str:
    """A payment that waits for its customer."""
    payment = opened("", provider="razorpay", method="upi")
    assert ask(payment, "authorise") == (200, "requires_action")
    return payment


@pytest.fixture
def authorised(razorpay_api: Razorpay) -> str:
    payment = begun()
    razorpay_api.has(paid("failed", error_code="BAD_REQUEST_ERROR"), paid())
    assert ask(payment, "authorise") == (200, "authorised")
    return payment


@pytest.fixture
def captured(razorpay_api: Razorpay, authorised: str) -> str:
    Payment.objects.filter(pk=authorised).update(status="captured", captured=AMOUNT, look_at=None)
    razorpay_api.has(paid("captured"))
    return authorised


def then_has(api: Razorpay, *tried: dict[str, Any]) -> None:
    """As it is once more, and from then on as it is after the call."""
    api.mock.add("GET", f"{razorpays.API}/orders/{ORDER}/payments", json=many(*tried))


def test_a_payment_is_an_order_there_that_is_captured_by_hand(razorpay_api: Razorpay, authorised: str) -> None:
    [(_, made, _headers)] = [each for each in razorpay_api.asked if each[0] == "POST /orders"]
    assert (made["amount"], made["currency"], made["receipt"]) == (AMOUNT, "USD", authorised)
    assert (made["payment"], made["partial_payment"]) == ({"capture": "manual"}, False)
    razorpay_api.says("POST", CAPTURE, paid("captured"))
    razorpay_api.has(paid())
    then_has(razorpay_api, paid("captured"))
    assert ask(authorised, "capture") == (200, "captured")
    assert shown(authorised) == ("captured", AMOUNT, 0)
    [(_, taken, _headers)] = [each for each in razorpay_api.asked if each[0] == f"POST {CAPTURE}"]
    assert taken == {"amount": AMOUNT, "currency": "USD"}


def test_an_order_whose_answer_was_lost_is_found_by_its_receipt(razorpay_api: Razorpay) -> None:
    razorpay_api.says("POST", "/orders", requests.ReadTimeout("slow"))
    payment = opened("", provider="razorpay")
    assert ask(payment, "authorise")[0] == 503
    assert shown(payment) == ("pending", 0, 0)
    razorpay_api.says("GET", "/orders", many(order()))
    assert ask(payment, "authorise") == (200, "requires_action")
    assert razorpay_api.times("POST /orders") == 1
    assert f"receipt={payment}" in razorpay_api.mock.calls[0].request.url


def test_a_payment_that_razorpay_does_not_begin_is_refused(razorpay_api: Razorpay) -> None:
    razorpay_api.says("POST", "/orders", refused("Order amount less than minimum amount allowed"), 400)
    payment = opened("", provider="razorpay")
    assert ask(payment, "authorise") == (409, "payment_refused")
    assert ask(payment, "void") == (200, "voided")


@pytest.mark.parametrize("status", [401, 403, 408, 429])
def test_who_is_not_let_in_by_razorpay_has_not_been_refused_the_payment(razorpay_api: Razorpay, status: int) -> None:
    razorpay_api.says("POST", "/orders", refused("Too many requests"), status)
    payment = opened("", provider="razorpay")
    assert ask(payment, "authorise")[0] == 503
    razorpay_api.says("POST", "/orders", order())
    assert ask(payment, "authorise") == (200, "requires_action")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (requests.ConnectionError("gone"), 200),
        ({"error": {"code": "SERVER_ERROR", "description": "x"}}, 500),
        ({"error": {"code": "GATEWAY_ERROR", "description": "x"}}, 502),
        (refused("Authentication failed"), 401),
        ({}, 503),
    ],
)
def test_an_outcome_that_is_not_known_is_asked_for_again(
    razorpay_api: Razorpay, authorised: str, body: Any, status: int
) -> None:
    razorpay_api.says("GET", f"/orders/{ORDER}/payments", body, status)
    assert ask(authorised, "capture")[0] == 503
    assert Payment.objects.get().status == "authorised"
    razorpay_api.has(paid("captured"))  # it came to pass all the same
    assert ask(authorised, "capture") == (200, "captured")
    assert razorpay_api.times(f"POST {CAPTURE}") == 0


def test_a_capture_that_is_refused_shows_what_is_true(razorpay_api: Razorpay, authorised: str) -> None:
    razorpay_api.says("POST", CAPTURE, refused(), 400)
    razorpay_api.has(paid())
    then_has(razorpay_api, paid("captured"))
    assert ask(authorised, "capture") == (200, "captured")


@pytest.mark.parametrize("changes", [{"amount": AMOUNT - 1}, {"currency": "INR"}])
def test_another_amount_or_currency_counts_for_nothing(razorpay_api: Razorpay, changes: dict[str, Any]) -> None:
    payment = begun()
    razorpay_api.has(paid("authorized", **changes))
    assert ask(payment, "authorise") == (409, "charge_differs")
    assert ask(payment, "capture") == (409, "requires_action")
    assert razorpay_api.times(f"POST {CAPTURE}") == 0


def test_what_is_voided_is_never_captured(razorpay_api: Razorpay, authorised: str) -> None:
    assert ask(authorised, "void") == (200, "voided")
    assert ask(authorised, "capture") == (409, "voided")
    checkout.hear(payment_id=uuid.UUID(authorised))
    assert Payment.objects.get().status == "voided"
    assert razorpay_api.times(f"POST {CAPTURE}") == 0


def test_what_is_captured_after_the_void_is_given_back(razorpay_api: Razorpay, authorised: str) -> None:
    ask(authorised, "void")
    razorpay_api.has(paid("captured"))
    checkout.hear(payment_id=uuid.UUID(authorised))
    razorpay_api.says("POST", REFUND, {"id": "rfnd_1", "entity": "refund"})
    razorpay_api.has(paid("captured"))
    then_has(razorpay_api, paid("refunded", amount_refunded=AMOUNT))
    checkout.give_back(payment_id=uuid.UUID(authorised))
    row = Payment.objects.get()
    assert (row.status, row.captured, row.refunded) == ("voided", AMOUNT, AMOUNT)


def test_a_refund_is_made_once_whatever_is_lost(razorpay_api: Razorpay, captured: str) -> None:
    one = str(uuid.uuid4())
    razorpay_api.says("POST", REFUND, requests.ReadTimeout("slow"))
    assert asking.refund(captured, 1000, one)[0] == 503
    [(_, asked, headers)] = [each for each in razorpay_api.asked if each[0] == f"POST {REFUND}"]
    assert (asked, headers["X-Refund-Idempotency"]) == ({"amount": 1000, "receipt": one}, one)
    razorpay_api.says("GET", f"/payments/{PAID}/refunds", many({"id": "rfnd_1", "receipt": one, "amount": 1000}))
    razorpay_api.has(paid("captured", amount_refunded=1000))
    assert asking.refund(captured, 1000, one) == (200, "partially_refunded")
    assert razorpay_api.times(f"POST {REFUND}") == 1


def test_a_refund_that_may_be_under_way_is_asked_for_again(razorpay_api: Razorpay, captured: str) -> None:
    razorpay_api.says("POST", REFUND, refused("Request in progress"), 409)
    assert asking.refund(captured, 1000)[0] == 503
    assert Refund.objects.get().done is False


def test_a_refund_above_what_is_left_there_is_none(razorpay_api: Razorpay, captured: str) -> None:
    razorpay_api.has(paid("captured", amount_refunded=AMOUNT - 1))  # somebody gave it back by hand
    assert asking.refund(captured, 1000) == (409, "refund_exceeds_capture")
    assert (Refund.objects.count(), razorpay_api.times(f"POST {REFUND}")) == (0, 0)


@pytest.mark.parametrize("token", ["4111111111111111", PAID, "x"])
def test_no_token_is_taken(razorpay_api: Razorpay, ada: Caller, token: str) -> None:
    answer = ada.post("/api/payments/", offer(due(), provider="razorpay", token=token))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert token not in answer.content.decode().replace('"error"', "") or token == "x"
    assert Payment.objects.count() == 0


def test_what_the_customer_brings_back_is_checked_and_looked_into(
    razorpay_api: Razorpay, ada: Caller, bob: Caller
) -> None:
    payment = begun()
    razorpay_api.has(paid())
    signature = razorpays.mac(f"{ORDER}|{PAID}", razorpays.KEY_SECRET)
    body = {"payment_id": payment, "razorpay_payment_id": PAID, "razorpay_signature": signature}
    for wrong in ({"razorpay_signature": "0" * 64}, {"razorpay_payment_id": "pay_other"}, {"razorpay_signature": "é"}):
        answer = ada.post("/api/payments/verify-payment/", {**body, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert Payment.objects.get().status == "requires_action"
    assert bob.post("/api/payments/verify-payment/", body).status_code == 404
    answer = ada.post("/api/payments/verify-payment/", body)
    assert (answer.status_code, answer.json()["status"]) == (200, "authorised")
