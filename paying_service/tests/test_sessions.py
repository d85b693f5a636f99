"""How customers pay by themselves: a hosted page or an intent for an order of theirs, once, whoever asks how often."""

import uuid
from typing import Any

import pytest

from paying_service import checkout, providers
from paying_service.models import Payment, SimulatedCharge
from paying_service.tests import asking, razorpays, stripes
from paying_service.tests.asking import AMOUNT, ask, due, news, opened, shown
from paying_service.tests.razorpays import Razorpay
from paying_service.tests.stripes import Stripe
from shopkit.idempotency.models import Answer
from shopkit.testing import Caller, at_once, caller

pytestmark = pytest.mark.django_db(transaction=True)
SESSION, INTENT = "/api/payments/create-checkout-session/", "/api/payments/create-payment-intent/"
PAGES = [SESSION, INTENT]


@pytest.mark.parametrize("path", PAGES)
def test_a_payment_waits_for_its_customer_and_the_order_hears_of_it(ada: Caller, path: str) -> None:
    answer = ada.post(path, {"order_id": due(), "amount": "0.01"})
    assert answer.status_code == 201
    payment = answer.json()["payment"]
    assert (payment["status"], payment["amount"], payment["customer_id"]) == ("requires_action", "64.98", "ada")
    assert news(payment["id"]) == 1
    assert ask(payment["id"], "authorise") == (200, "requires_action")  # as the order's saga asks


@pytest.mark.parametrize("path", PAGES)
def test_asked_again_it_is_the_same(ada: Caller, path: str) -> None:
    order = due()
    first, second = (ada.post(path, {"order_id": order}).json() for _ in range(2))
    assert first == second
    assert Payment.objects.count() == SimulatedCharge.objects.count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_key_has_the_first_answer_again_and_no_other_question(stripe_api: Stripe, ada: Caller, path: str) -> None:
    stripe_api.says("POST", "/checkout/sessions", stripes.session())
    wish, key = {"order_id": due(), "provider": "stripe"}, {"HTTP_IDEMPOTENCY_KEY": "one"}
    first, again = (ada.post(path, wish, **key) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    other = ada.post(path, {**wish, "method": "upi"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Payment.objects.count() == 1
    secret = again.json().get("client_secret", stripes.INTENT_SECRET)
    assert secret == stripes.INTENT_SECRET
    assert secret not in str([*Answer.objects.values(), *Payment.objects.values()])


def test_asked_many_times_at_once_there_is_one(ada: Caller) -> None:
    order = due()
    answers = at_once(lambda _turn: caller("ada").post(SESSION, {"order_id": order}), 16)
    assert {answer.status_code for answer in answers} <= {201, 409}
    urls = {answer.json()["url"] for answer in answers if answer.status_code == 201}
    assert (len(urls), Payment.objects.count()) == (1, 1)


@pytest.mark.parametrize("path", PAGES)
def test_only_an_orders_own_customer_pays_it(bob: Caller, path: str) -> None:
    for order in (due(), due(None), str(uuid.uuid4())):
        assert bob.post(path, {"order_id": order}).json()["code"] == "unknown_order"
    assert Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION="Bearer x").post(path, {}).status_code == 401
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_a_provider_that_is_not_configured_is_named_with_those_that_are(ada: Caller, path: str) -> None:
    answer = ada.post(path, {"order_id": due(), "provider": "stripe"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_provider")
    assert answer.json()["error"] == "This shop takes payments by simulated."


def test_in_production_the_simulated_provider_is_offered_only_where_there_is_no_other(
    stripe_api: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert providers.offered() == ["simulated", "stripe"]
    monkeypatch.setattr(providers, "config", lambda: type("Env", (), {"production": True}))
    assert providers.offered() == ["stripe"]
    monkeypatch.setattr(providers.keys(), "stripe_secret_key", "")
    assert providers.offered() == ["simulated"]


def test_an_order_that_is_being_paid_in_another_way_is_not_paid_twice(ada: Caller) -> None:
    order = due()
    assert ada.post(SESSION, {"order_id": order}).status_code == 201
    assert ada.post(INTENT, {"order_id": order}).json()["code"] == "payment_open"
    Payment.objects.update(status="captured", captured=AMOUNT)
    for path in PAGES:
        assert ada.post(path, {"order_id": order}).json()["code"] == "payment_open"


@pytest.mark.parametrize("end", ["failed", "voided"])
def test_an_order_whose_payment_came_to_nothing_can_be_paid_anew(ada: Caller, end: str) -> None:
    order = due()
    first = ada.post(SESSION, {"order_id": order}).json()
    Payment.objects.update(status=end)
    second = ada.post(SESSION, {"order_id": order}).json()
    assert first["url"] != second["url"]


def test_an_order_that_was_placed_without_a_card_waits_on_the_page() -> None:
    payment = opened("")
    assert ask(payment, "authorise") == (200, "requires_action")
    assert Payment.objects.get().action_url == f"/api/payments/{payment}/pay/"
    assert ask(payment, "void") == (200, "voided")


def test_stripes_page_is_stripes_and_its_intent_has_a_secret(stripe_api: Stripe, ada: Caller) -> None:
    stripe_api.says("POST", "/checkout/sessions", stripes.session())
    order = due()
    answer = ada.post(SESSION, {"order_id": order, "provider": "stripe"}).json()
    assert answer["url"] == f"https://checkout.stripe.com/c/pay/{stripes.SESSION}"
    [(_, asked, key)] = stripe_api.asked
    assert asked["line_items[0][price_data][unit_amount]"] == [str(AMOUNT)]
    assert asked["payment_intent_data[capture_method]"] == ["manual"]
    assert (asked["client_reference_id"], key) == ([order], f"{answer['payment']['id']}:begin")
    other = ada.post(INTENT, {"order_id": due(), "provider": "stripe"}).json()
    assert (other["ref"], other["key"]) == (stripes.INTENT, "pk_test_123")
    assert other["client_secret"].startswith(stripes.INTENT)
    assert other["client_secret"] not in str(list(Payment.objects.values()))


def test_while_stripe_is_away_nothing_is_begun(stripe_api: Stripe, ada: Caller) -> None:
    stripe_api.says("POST", "/payment_intents", stripes.error("api_error", "x"), 500)
    assert ada.post(INTENT, {"order_id": due(), "provider": "stripe"}).status_code == 503
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_what_stripe_takes_no_payment_for_is_refused(stripe_api: Stripe, ada: Caller, path: str) -> None:
    for made in ("/payment_intents", "/checkout/sessions"):
        stripe_api.says("POST", made, stripes.error("invalid_request_error", "amount_too_small"), 400)
    answer = ada.post(path, {"order_id": due(), "provider": "stripe"})
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_refused")
    assert "amount_too_small" not in answer.content.decode()
    assert Payment.objects.count() == 0


def test_razorpays_script_gets_its_order_and_its_page_posts_there(razorpay_api: Razorpay, ada: Caller) -> None:
    answer = ada.post(INTENT, {"order_id": due(), "provider": "razorpay", "method": "upi"}).json()
    assert (answer["ref"], answer["key"], answer["client_secret"]) == (razorpays.ORDER, "rzp_test_1", "")
    page = ada.get(f"/api/payments/{answer['payment']['id']}/pay/").content.decode()
    assert 'action="https://api.razorpay.com/v1/checkout/embedded"' in page
    for value in (razorpays.ORDER, "rzp_test_1", str(AMOUNT)):
        assert f'value="{value}"' in page
    assert razorpays.KEY_SECRET not in page


def test_razorpay_brings_the_customer_back_with_its_proof(razorpay_api: Razorpay) -> None:
    payment = opened("", provider="razorpay")
    ask(payment, "authorise")
    nobody, path = Caller(HTTP_HOST="localhost", enforce_csrf_checks=True), f"/api/payments/{payment}/pay/"
    razorpay_api.has(razorpays.paid())
    proof = {"razorpay_payment_id": razorpays.PAID, "razorpay_signature": "0" * 64}
    assert "not signed" in nobody.post(path, proof, format="multipart").content.decode()
    proof["razorpay_signature"] = razorpays.mac(f"{razorpays.ORDER}|{razorpays.PAID}", razorpays.KEY_SECRET)
    assert "authorised" in nobody.post(path, proof, format="multipart").content.decode()


def test_verifying_asks_stripe(stripe_api: Stripe, ada: Caller) -> None:
    payment = ada.post(INTENT, {"order_id": due(), "provider": "stripe"}).json()["payment"]["id"]
    stripe_api.intent_is("requires_capture")
    answer = ada.post("/api/payments/verify-payment/", {"payment_id": payment})
    assert (answer.status_code, answer.json()["status"]) == (200, "authorised")


def test_a_session_whose_webhooks_are_lost_is_asked_after(ada: Caller) -> None:
    payment = ada.post(SESSION, {"order_id": due()}).json()["payment"]["id"]
    SimulatedCharge.objects.update(status="authorised", handle="succeeds")
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert (Payment.objects.get().status, shown(payment)) == ("authorised", ("authorised", 0, 0))


@pytest.mark.parametrize("body", [{}, {"order_id": "x"}, {"order_id": str(uuid.uuid4()), "method": "cash"}])
def test_a_malformed_wish_is_refused(ada: Caller, body: dict[str, Any]) -> None:
    for path in PAGES:
        assert ada.post(path, body).status_code == 400
