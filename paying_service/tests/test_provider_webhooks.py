"""Webhooks of Stripe and Razorpay: believed only as they sign them, kept once, and only a reason to ask them."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from paying_service.models import Payment, WebhookEvent
from paying_service.tests import razorpays, stripes
from paying_service.tests.asking import AMOUNT, ask, opened
from paying_service.tests.razorpays import Razorpay
from paying_service.tests.stripes import Stripe
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
Signed = tuple[bytes, dict[str, str]]


@dataclass
class Side:
    """One provider, a payment of it that waits, and how it tells of it."""

    provider: str
    payment: str
    event: Callable[..., dict[str, Any]]
    sign: Callable[..., Signed]
    secrets: list[str]
    is_authorised: Callable[[], None]

    def send(self, signed: Signed) -> Any:
        nobody, (body, headers) = Caller(HTTP_HOST="localhost"), signed
        path = f"/api/payments/webhooks/{self.provider}/"
        return nobody.post(path, data=body, content_type="application/json", headers=headers)


@pytest.fixture(params=["stripe", "razorpay"])
def side(request: pytest.FixtureRequest) -> Side:
    api = request.getfixturevalue(f"{request.param}_api")
    return {"stripe": _stripe, "razorpay": _razorpay}[request.param](api)


def _stripe(api: Stripe) -> Side:
    action = {"redirect_to_url": {"url": "https://hooks.stripe.com/1"}}
    api.says(
        "POST", f"/payment_intents/{stripes.INTENT}/confirm", stripes.intent("requires_action", next_action=action)
    )
    payment = opened(stripes.CARD, provider="stripe")
    assert ask(payment, "authorise") == (200, "requires_action")

    def event(**changes: Any) -> dict[str, Any]:
        return stripes.event(stripes.intent(**{"status": "requires_capture", **changes}))

    return Side("stripe", payment, event, stripes.signed, stripes.SECRETS, lambda: api.intent_is("requires_capture"))


def _razorpay(api: Razorpay) -> Side:
    payment = opened("", provider="razorpay")
    assert ask(payment, "authorise") == (200, "requires_action")

    def event(**changes: Any) -> dict[str, Any]:
        return razorpays.event(razorpays.paid(**changes))

    return Side("razorpay", payment, event, razorpays.signed, razorpays.SECRETS, lambda: api.has(razorpays.paid()))


def refused(answer: Any) -> tuple[int, str]:
    """The answer's status and code; nothing was kept."""
    assert (WebhookEvent.objects.count(), Message.objects.filter(kind="webhook").count()) == (0, 0)
    return answer.status_code, answer.json()["code"]


def deliver() -> None:
    for message in Message.objects.filter(kind="webhook", state="pending"):
        assert delivery.attempt(message)


def status() -> str:
    return Payment.objects.get().status


@pytest.mark.parametrize("turn", [0, 1])
def test_either_live_secret_counts_and_the_answer_does_not_wait(side: Side, turn: int) -> None:
    side.is_authorised()
    body, headers = side.sign(side.event(), secret=side.secrets[turn])
    answer = side.send((body, headers))
    assert (answer.status_code, answer.json()) == (200, {"new": True})
    assert (status(), WebhookEvent.objects.get().raw) == ("requires_action", body.decode())
    assert side.send((body, headers)).json() == {"new": False}
    assert WebhookEvent.objects.count() == 1
    deliver()
    assert status() == "authorised"


def test_what_is_not_signed_or_by_another_or_was_changed_is_refused(side: Side) -> None:
    body, headers = side.sign(side.event())
    name = "Stripe-Signature" if side.provider == "stripe" else "X-Razorpay-Signature"
    wrong = ["", "nonsense", "t=,v1=", "v1=x", "t=1", "é", "t=1,v1=é", headers[name][:-1], "0" * 64]
    for signature in wrong:
        assert refused(side.send((body, {**headers, name: signature}))) == (401, "bad_signature")
    assert refused(side.send((body, {}))) == (401, "bad_signature")
    assert refused(side.send((body + b" ", headers))) == (401, "bad_signature")
    assert refused(side.send(side.sign(side.event(), secret="another"))) == (401, "bad_signature")
    assert refused(side.send(side.sign(side.event(), secret=""))) == (401, "bad_signature")


@pytest.mark.parametrize("ago", [305, 86400, -305])
def test_what_is_too_old_or_of_the_future_is_refused(side: Side, ago: int) -> None:
    if side.provider == "stripe":
        signed = stripes.signed(side.event(), ago=ago)
    else:  # there the signature has no time, so that the event's own is taken
        event = side.event()
        signed = razorpays.signed({**event, "created_at": event["created_at"] - ago})
    assert refused(side.send(signed)) == (401, "stale_webhook")


@pytest.mark.parametrize("first", ["t= {old}", "t=+{old}", "t={old}=1", "v0=1,t= {old}"])
def test_the_time_that_counts_is_the_one_that_stripe_signed(stripe_api: Stripe, first: str) -> None:
    """Of two times the SDK takes the first, in whatever way it is written."""
    side = _stripe(stripe_api)
    body, headers = side.sign(side.event(), ago=4000)
    at, made = headers["Stripe-Signature"].removeprefix("t=").split(",")
    forged = f"{first.format(old=at)},t={int(time.time())},{made}"
    assert refused(side.send((body, {"Stripe-Signature": forged}))) == (401, "bad_signature")


@pytest.mark.parametrize("body", [[], "x", 7, None, {}, {"id": "evt_1"}, {"id": "evt_1", "data": []}])
def test_what_is_no_event_is_refused(side: Side, body: Any) -> None:
    assert refused(side.send(side.sign(body))) == (400, "malformed_webhook")


@pytest.mark.parametrize("changes", [{"amount": AMOUNT - 1}, {"currency": "inr"}, {"id": "pi_other", "order_id": "no"}])
def test_one_for_another_amount_or_no_payment_is_kept_and_counts_for_nothing(
    side: Side, changes: dict[str, Any]
) -> None:
    side.is_authorised()
    assert side.send(side.sign(side.event(**changes))).status_code == 200
    deliver()
    assert status() == "requires_action"


def test_one_that_lies_counts_for_nothing(side: Side) -> None:
    assert side.send(side.sign(side.event(status="captured", captured=True))).status_code == 200
    deliver()
    assert status() == "requires_action"


def test_one_whose_payment_differs_at_the_provider_is_not_looked_into_for_ever(side: Side, request: Any) -> None:
    if side.provider == "stripe":
        request.getfixturevalue("stripe_api").intent_is("succeeded", amount=1)
    else:
        request.getfixturevalue("razorpay_api").has(razorpays.paid("captured", amount=1))
    side.send(side.sign(side.event()))
    deliver()
    assert (status(), Payment.objects.get().captured) == ("requires_action", 0)


def test_a_provider_there_is_not_has_no_webhooks(staff: Caller) -> None:
    for provider in ("stripe", "razorpay", "barter"):
        _body, headers = stripes.signed({})
        assert staff.post(f"/api/payments/webhooks/{provider}/", {}, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "about",
    [
        {"object": "customer", "id": "cus_1"},
        {"object": "checkout.session", "id": stripes.SESSION, "amount_total": None, "currency": None},
        {"object": "charge", "id": "ch_1", "payment_intent": None, "amount": 1, "currency": "usd"},
        {"object": "refund", "id": "re_1", "payment_intent": "pi_other", "amount": 1, "currency": "usd"},
    ],
)
def test_what_is_about_something_else_is_taken_and_left_alone(stripe_api: Stripe, about: dict[str, Any]) -> None:
    answer = _stripe(stripe_api).send(stripes.signed(stripes.event(about)))
    assert answer.status_code == 200
    deliver()
    assert status() == "requires_action"


@pytest.mark.parametrize("kind", ["checkout.session", "payment_intent", "charge", "refund"])
def test_what_stripe_tells_of_a_session_finds_its_payment(stripe_api: Stripe, kind: str) -> None:
    path = f"/checkout/sessions/{stripes.SESSION}"
    stripe_api.says("POST", "/checkout/sessions", stripes.session())
    stripe_api.says("GET", path, stripes.session())
    payment = opened("", provider="stripe")
    ask(payment, "authorise")
    stripe_api.says("GET", path, stripes.session("complete", stripes.intent("requires_capture")))
    body = {"object": kind, "id": stripes.SESSION, "payment_intent": stripes.INTENT, "amount": AMOUNT}
    body |= {"amount_total": AMOUNT, "currency": "usd", "metadata": {"payment_id": payment}}
    side = Side("stripe", payment, dict, stripes.signed, stripes.SECRETS, lambda: None)
    assert side.send(stripes.signed(stripes.event(body))).status_code == 200
    deliver()
    assert status() == "authorised"


@pytest.mark.django_db
def test_razorpays_in_any_order_and_each_twice_come_to_the_same(razorpay_api: Razorpay) -> None:
    """Each of the 24 orders for a payment of its own, which goes on at Razorpay in between."""
    kinds = ("payment.authorized", "payment.captured", "refund.created", "payment.failed")
    ends = set()
    for order in itertools.permutations(kinds):
        Payment.objects.all().delete()
        razorpay_api.has()
        side = _razorpay(razorpay_api)
        steps = [razorpays.paid(), razorpays.paid("captured"), razorpays.paid("refunded", amount_refunded=AMOUNT)]
        for at, kind in enumerate(order):
            if at < len(steps):
                razorpay_api.has(steps[at])
            signed = razorpays.signed({**side.event(), "event": kind})
            assert side.send(signed).json() == {"new": True}
            assert side.send(signed).json() == {"new": False}
            if at % 2:
                deliver()
        deliver()
        row = Payment.objects.get()
        ends.add((row.status, row.captured, row.refunded))
    assert ends == {("refunded", AMOUNT, AMOUNT)}


def test_the_raw_event_is_kept_as_it_came(side: Side) -> None:
    event = side.event(note="é and \u2028")
    side.send(side.sign(event))
    assert json.loads(WebhookEvent.objects.get().raw) == event
