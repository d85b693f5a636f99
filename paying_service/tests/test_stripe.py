"""Payments by Stripe: asked for once whatever is lost, captured by hand, and counted only in what is owed."""

import uuid
from typing import Any

import pytest
import requests

from paying_service import checkout
from paying_service.models import Payment, Refund
from paying_service.tests import asking, stripes
from paying_service.tests.asking import AMOUNT, ask, opened, shown
from paying_service.tests.stripes import CARD, INTENT, SESSION, Stripe, charge, error, intent, session
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
CONFIRM, CAPTURE, CANCEL = (f"/payment_intents/{INTENT}/{verb}" for verb in ("confirm", "capture", "cancel"))


def by_card(token: str = CARD) -> str:
    return opened(token, provider="stripe")


@pytest.fixture
def authorised(stripe_api: Stripe) -> str:
    stripe_api.says("POST", CONFIRM, intent("requires_capture"))
    payment = by_card()
    assert ask(payment, "authorise") == (200, "authorised")
    stripe_api.intent_is("requires_capture")
    return payment


@pytest.fixture
def captured(authorised: str, stripe_api: Stripe) -> str:
    Payment.objects.filter(pk=authorised).update(status="captured", captured=AMOUNT, look_at=None)
    stripe_api.intent_is("succeeded", latest_charge=charge(0))
    stripe_api.says("GET", "/refunds", {"object": "list", "data": [], "has_more": False})
    return authorised


def test_a_card_is_authorised_and_captured_by_hand(stripe_api: Stripe, authorised: str) -> None:
    made, confirmed = stripe_api.asked[0], stripe_api.asked[2]
    assert made[0] == "POST /payment_intents"
    assert (made[1]["amount"], made[1]["currency"]) == ([str(AMOUNT)], ["usd"])
    assert (made[1]["capture_method"], made[1]["metadata[payment_id]"]) == (["manual"], [authorised])
    assert (confirmed[0], confirmed[1]["payment_method"]) == (f"POST {CONFIRM}", [CARD])
    assert [made[2], confirmed[2]] == [f"{authorised}:begin", f"{authorised}:confirm"]
    stripe_api.says("POST", CAPTURE, intent("succeeded"))
    with_answer(stripe_api, "succeeded", latest_charge=charge(0))
    assert ask(authorised, "capture") == (200, "captured")
    assert shown(authorised) == ("captured", AMOUNT, 0)
    assert stripe_api.times(f"POST {CAPTURE}") == 1
    assert ask(authorised, "capture") == (200, "captured")
    assert stripe_api.times(f"POST {CAPTURE}") == 1


def with_answer(api: Stripe, status: str, **changes: Any) -> None:
    """Shows the intent as it was once more, and from then on as it is after the call."""
    api.mock.add("GET", f"{stripes.API}/payment_intents/{INTENT}", json=intent(status, **changes))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (requests.ConnectionError("gone"), 200),
        (requests.ReadTimeout("slow"), 200),
        (error("api_error", "internal"), 500),
        (error("api_error", "internal"), 503),
        (error("invalid_request_error", "lock_timeout"), 429),
        (error("idempotency_error", "idempotency_key_in_use"), 409),
        (error("invalid_request_error", "api_key_expired"), 401),
    ],
)
@pytest.mark.parametrize("path", ["/payment_intents", CONFIRM])
def test_an_outcome_that_is_not_known_is_asked_for_again_by_the_same_key(
    stripe_api: Stripe, path: str, body: Any, status: int
) -> None:
    stripe_api.says("POST", CONFIRM, intent("requires_capture"))
    good = intent() if path == "/payment_intents" else intent("requires_capture")
    stripe_api.says("POST", path, body, status)
    payment = by_card()
    assert ask(payment, "authorise")[0] == 503
    assert shown(payment) == ("pending", 0, 0)
    stripe_api.says("POST", path, good)
    assert ask(payment, "authorise") == (200, "authorised")
    assert len({key for name, _, key in stripe_api.asked if name == f"POST {path}"}) == 1


def test_an_answer_that_was_lost_is_seen_at_the_next_look(stripe_api: Stripe) -> None:
    payment = by_card()
    stripe_api.says("POST", CONFIRM, requests.ReadTimeout("slow"))
    assert ask(payment, "authorise")[0] == 503
    stripe_api.intent_is("requires_capture")
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert shown(payment) == ("authorised", 0, 0)
    assert stripe_api.times(f"POST {CONFIRM}") == 1


def test_a_decline_is_a_payment_that_failed_and_says_why(stripe_api: Stripe, ada: Caller) -> None:
    why = {
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
    }
    stripe_api.says("POST", CONFIRM, error("card_error", "card_declined", decline_code="insufficient_funds"), 402)
    payment = by_card()
    with_answer(stripe_api, "requires_payment_method", last_payment_error=why)
    assert ask(payment, "authorise") == (200, "failed")
    body = ada.get(f"/api/payments/{payment}/").json()
    assert (body["failure_code"], body["failure_message"]) == ("insufficient_funds", why["message"])
    assert ask(payment, "authorise") == (200, "failed")
    assert stripe_api.times(f"POST {CONFIRM}") == 1


def test_a_card_that_stripe_does_not_know_has_failed(stripe_api: Stripe) -> None:
    stripe_api.says("POST", CONFIRM, error("invalid_request_error", "resource_missing"), 400)
    payment = by_card()
    assert ask(payment, "authorise") == (200, "failed")
    assert Payment.objects.get().failure_code == "resource_missing"


def test_a_payment_that_stripe_does_not_begin_is_refused(stripe_api: Stripe) -> None:
    stripe_api.says("POST", "/payment_intents", error("invalid_request_error", "amount_too_small"), 400)
    payment = by_card()
    assert ask(payment, "authorise") == (409, "payment_refused")
    assert ask(payment, "void") == (200, "voided")


def test_a_customer_who_is_to_confirm_is_sent_to_their_bank(stripe_api: Stripe) -> None:
    action = {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": "https://hooks.stripe.com/3d_secure", "return_url": ""},
    }
    stripe_api.says("POST", CONFIRM, intent("requires_action", next_action=action))
    payment = by_card()
    assert ask(payment, "authorise") == (200, "requires_action")
    assert Payment.objects.get().action_url == "https://hooks.stripe.com/3d_secure"
    stripe_api.intent_is("requires_capture")
    assert ask(payment, "authorise") == (200, "authorised")


@pytest.mark.parametrize("changes", [{"amount": AMOUNT - 1}, {"amount": AMOUNT + 1}, {"currency": "eur"}])
def test_another_amount_or_currency_counts_for_nothing(stripe_api: Stripe, changes: dict[str, Any]) -> None:
    stripe_api.says("POST", CONFIRM, intent("requires_capture", **changes))
    payment = by_card()
    assert ask(payment, "authorise") == (409, "charge_differs")
    assert Payment.objects.get().status == "pending"
    stripe_api.intent_is("succeeded", **changes)
    asking.time_for_a_look()
    checkout.look_at_waiting()
    assert (Payment.objects.get().status, Payment.objects.get().captured) == ("pending", 0)


def test_a_void_cancels_the_intent(stripe_api: Stripe, authorised: str) -> None:
    stripe_api.says("POST", CANCEL, intent("canceled"))
    with_answer(stripe_api, "canceled")
    assert ask(authorised, "void") == (200, "voided")
    assert stripe_api.times(f"POST {CANCEL}") == 1


def test_what_was_taken_before_it_could_be_voided_is_captured(stripe_api: Stripe, authorised: str) -> None:
    stripe_api.says("POST", CANCEL, error("invalid_request_error", "payment_intent_unexpected_state"), 400)
    with_answer(stripe_api, "succeeded", latest_charge=charge(0))
    assert ask(authorised, "void") == (409, "captured")
    assert Message.objects.filter(kind=checkout.GIVE_BACK).count() == 1


def test_what_was_never_begun_is_voided_without_stripe(stripe_api: Stripe) -> None:
    payment = by_card()
    stripe_api.says("POST", "/payment_intents", requests.ReadTimeout("slow"))
    assert ask(payment, "authorise")[0] == 503
    assert ask(payment, "void") == (200, "voided")
    assert ask(payment, "authorise") == (200, "voided")
    assert stripe_api.times(f"POST {CONFIRM}") == 0


def test_a_refund_is_made_once_whatever_is_lost(stripe_api: Stripe, captured: str) -> None:
    one = str(uuid.uuid4())
    stripe_api.says("POST", "/refunds", requests.ReadTimeout("slow"))
    assert asking.refund(captured, 1000, one)[0] == 503
    # it was made all the same, and Stripe has forgotten the key since
    made = {"id": "re_1", "object": "refund", "amount": 1000, "metadata": {"refund_id": one}}
    stripe_api.says("GET", "/refunds", {"object": "list", "data": [made], "has_more": False})
    stripe_api.intent_is("succeeded", latest_charge=charge(1000))
    assert asking.refund(captured, 1000, one) == (200, "partially_refunded")
    assert stripe_api.times("POST /refunds") == 1
    assert shown(captured) == ("partially_refunded", AMOUNT, 1000)
    [(_, asked, key)] = [each for each in stripe_api.asked if each[0] == "POST /refunds"]
    assert (asked["amount"], asked["payment_intent"], key) == (["1000"], [INTENT], f"{one}:refund")


def test_a_refund_that_stripe_refuses_is_none(stripe_api: Stripe, captured: str) -> None:
    stripe_api.says("POST", "/refunds", error("invalid_request_error", "charge_already_refunded"), 400)
    assert asking.refund(captured, 1000) == (409, "refund_refused")
    assert (Refund.objects.count(), shown(captured)) == (0, ("captured", AMOUNT, 0))


def test_what_was_given_back_at_stripe_by_hand_is_not_given_back_again(stripe_api: Stripe, captured: str) -> None:
    stripe_api.intent_is("succeeded", latest_charge=charge(AMOUNT - 1000))
    assert checkout.hear(payment_id=uuid.UUID(captured)).refunded == AMOUNT - 1000
    assert asking.refund(captured, 1001) == (409, "refund_exceeds_capture")
    stripe_api.says("POST", "/refunds", {"id": "re_1", "object": "refund"})
    with_answer(stripe_api, "succeeded", latest_charge=charge(AMOUNT))
    assert asking.refund(captured) == (200, "refunded")
    assert stripe_api.asked[-2][1]["amount"] == ["1000"]


def test_without_a_card_the_order_waits_on_stripes_page(stripe_api: Stripe) -> None:
    stripe_api.says("POST", "/checkout/sessions", session())
    stripe_api.says("GET", f"/checkout/sessions/{SESSION}", session())
    payment = by_card("")
    assert ask(payment, "authorise") == (200, "requires_action")
    assert Payment.objects.get().action_url == f"https://checkout.stripe.com/c/pay/{SESSION}"
    declined = intent("requires_payment_method", last_payment_error={"code": "card_declined"})
    stripe_api.says("GET", f"/checkout/sessions/{SESSION}", session(paid_by=declined))
    assert ask(payment, "authorise") == (200, "requires_action")  # they may try another card
    stripe_api.says("GET", f"/checkout/sessions/{SESSION}", session("complete", intent("requires_capture")))
    assert ask(payment, "authorise") == (200, "authorised")


@pytest.mark.parametrize("paid_by", [None, intent("canceled")])
def test_a_void_ends_the_session(stripe_api: Stripe, paid_by: Any) -> None:
    path = f"/checkout/sessions/{SESSION}"
    stripe_api.says("POST", "/checkout/sessions", session())
    stripe_api.says("GET", path, session())
    stripe_api.says("POST", f"{path}/expire", session("expired"))
    payment = by_card("")
    ask(payment, "authorise")
    stripe_api.says("GET", path, session())
    stripe_api.mock.add("GET", stripes.API + path, json=session("expired", paid_by))
    assert ask(payment, "void") == (200, "voided")
    assert stripe_api.times(f"POST {path}/expire") == 1


@pytest.mark.parametrize(
    "token", ["4242424242424242", "pm_4242424242424242", "tok_visa", "pm_\u00e9\u00e9", "x" * 200, "pm_a b"]
)
def test_what_may_be_a_card_number_is_refused_and_quoted_nowhere(
    stripe_api: Stripe, ada: Caller, token: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = ada.post("/api/payments/", asking.offer(asking.due(), provider="stripe", token=token))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert token not in answer.content.decode()
    assert token not in "".join(capfd.readouterr())
    assert (Payment.objects.count(), stripe_api.asked) == (0, [])


def test_a_payment_waits_while_the_keys_are_gone(stripe_api: Stripe, authorised: str, monkeypatch: Any) -> None:
    from paying_service.keys import keys

    monkeypatch.setattr(keys(), "stripe_secret_key", "")
    assert ask(authorised, "capture")[0] == 503
    assert Payment.objects.get().status == "authorised"
