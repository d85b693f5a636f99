"""Refunds that fail after their provider took them: staff see it, and give back again; what the order knows stays."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from structlog.testing import capture_logs

from paying_service import failed_refunds
from paying_service.models import Refund
from paying_service.providers import simulated
from paying_service.tests import asking, razorpays, stripes
from paying_service.tests.asking import AMOUNT, ask, captured, opened, order_service, refund, row, shown
from paying_service.tests.razorpays import PAID, Razorpay
from paying_service.tests.stripes import Stripe
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def failed() -> int:
    """Minor units, as the auditor is told."""
    [payment] = order_service().get("/internal/payments/").json()["rows"]
    return int(payment["refund_failed"])


def fail(payment: str) -> None:
    """All that was given back until now comes back to the shop, and the provider tells of it."""
    simulated.fail_refunds(row(payment))
    failed_refunds.look_for(payment=row(payment))


def deliver() -> list[Any]:
    """The errors that are logged with it."""
    with capture_logs() as logs:
        for message in Message.objects.filter(kind="webhook", state="pending"):
            assert delivery.attempt(message)
    return [each for each in logs if each["log_level"] == "error"]


@dataclass
class Side:
    """A provider, a captured payment of it, what it refunded of that by now, and how it tells that a refund failed."""

    provider: str
    made: str
    payment: str
    has_refunds: Callable[..., None]
    signed: Callable[[str], tuple[bytes, dict[str, str]]]


@pytest.fixture(params=["stripe", "stripe's page", "razorpay"])
def side(request: pytest.FixtureRequest) -> Side:
    if request.param == "razorpay":
        return _razorpay(request.getfixturevalue("razorpay_api"))
    return _stripe(request.getfixturevalue("stripe_api"), hosted=request.param == "stripe's page")


def _stripe(api: Stripe, *, hosted: bool) -> Side:
    def is_now(status: str, **changes: Any) -> None:
        api.intent_is(status, **changes)
        api.says("GET", session, stripes.session("complete", stripes.intent(status, **changes)))

    def has_refunds(*made: tuple[str, int, str]) -> None:
        listed = [_stripes(*each) for each in made]
        api.says("GET", "/refunds", {"object": "list", "data": listed, "has_more": False})
        given = sum(amount for _, amount, status in made if status == "succeeded")
        is_now("succeeded", latest_charge=stripes.charge(given))

    def signed(refund_id: str) -> tuple[bytes, dict[str, str]]:
        about = {**_stripes(refund_id, 1000, "failed"), "metadata": sent_with_the_last_refund(api)}
        return stripes.signed(stripes.event(about, type="refund.failed"))

    session = f"/checkout/sessions/{stripes.SESSION}"
    api.says("POST", "/checkout/sessions", stripes.session())
    api.says("POST", "/refunds", {"id": "re_1", "object": "refund"})
    is_now("requires_capture")
    payment = opened("" if hosted else stripes.CARD, provider="stripe")
    ask(payment, "authorise")
    has_refunds()
    assert ask(payment, "capture") == (200, "captured")
    return Side("stripe", "succeeded", payment, has_refunds, signed)


def _stripes(refund_id: str, amount: int, status: str) -> dict[str, Any]:
    body = {"id": f"re_{refund_id}", "object": "refund", "amount": amount, "currency": "usd", "status": status}
    body |= {"payment_intent": stripes.INTENT, "charge": stripes.CHARGE, "metadata": {"refund_id": refund_id}}
    return body | ({"failure_reason": "expired_or_canceled_card"} if status == "failed" else {})


def sent_with_the_last_refund(api: Stripe) -> dict[str, str]:
    """The metadata, which Stripe gives back."""
    asked = [fields for what, fields, _ in api.asked if what == "POST /refunds"][-1]
    names = ("payment_id", "refund_id")
    return {name: asked[f"metadata[{name}]"][0] for name in names if f"metadata[{name}]" in asked}


def _razorpay(api: Razorpay) -> Side:
    def has_refunds(*made: tuple[str, int, str]) -> None:
        api.says("GET", f"/payments/{PAID}/refunds", razorpays.many(*[_razorpays(*each) for each in made]))
        api.has(razorpays.paid("captured", amount_refunded=sum(each[1] for each in made if each[2] == "processed")))

    def signed(refund_id: str) -> tuple[bytes, dict[str, str]]:
        event = razorpays.event(razorpays.paid("captured"), event="refund.failed", contains=["refund", "payment"])
        event["payload"]["refund"] = {"entity": _razorpays(refund_id, 1000, "failed")}
        return razorpays.signed(event)

    payment = opened("", provider="razorpay")
    api.has(razorpays.paid())
    ask(payment, "authorise")
    has_refunds()
    assert ask(payment, "capture") == (200, "captured")
    api.says("POST", f"/payments/{PAID}/refund", {"id": "rfnd_1", "entity": "refund"})
    return Side("razorpay", "processed", payment, has_refunds, signed)


def _razorpays(refund_id: str, amount: int, status: str) -> dict[str, Any]:
    body = {"id": f"rfnd_{refund_id[:14]}", "entity": "refund", "amount": amount, "currency": "USD", "status": status}
    return {**body, "payment_id": PAID, "receipt": refund_id}


def gives_back(side: Side, amount: int, *before: tuple[str, int, str]) -> str:
    """The id of a refund that the provider makes; its answer is lost, so that it is asked for again."""
    one = str(uuid.uuid4())
    assert refund(side.payment, amount, one)[0] == 200
    side.has_refunds(*before, (one, amount, side.made))
    Refund.objects.filter(pk=one).update(done=False)
    assert refund(side.payment, amount, one)[0] == 200
    return one


def test_a_webhook_of_it_is_followed_up_and_it_can_be_made_again(side: Side) -> None:
    one = gives_back(side, 1000)
    assert (failed(), shown(side.payment)) == (0, ("partially_refunded", AMOUNT, 1000))
    side.has_refunds((one, 1000, "failed"))
    for _ in range(2):
        body, headers = side.signed(one)
        nobody, path = Caller(HTTP_HOST="localhost"), f"/api/payments/webhooks/{side.provider}/"
        assert nobody.post(path, data=body, content_type="application/json", headers=headers).json() == {"new": True}
    [error] = deliver()
    assert (error["payment_id"], error["refund_id"], error["amount"]) == (side.payment, one, 1000)
    assert (failed(), shown(side.payment)) == (1000, ("partially_refunded", AMOUNT, 1000))
    gives_back(side, AMOUNT, (one, 1000, "failed"))
    assert (failed(), shown(side.payment)) == (0, ("refunded", AMOUNT, AMOUNT))


def test_staff_give_back_again_what_failed_and_no_more_than_that(staff: Caller) -> None:
    payment = captured()
    refund(payment)
    path = f"/api/payments/{payment}/refund/"
    assert refund(payment, 1) == (409, "refund_exceeds_capture")
    fail(payment)
    assert (failed(), shown(payment)) == (AMOUNT, ("refunded", AMOUNT, AMOUNT))
    assert refund(payment, AMOUNT + 1) == (409, "refund_exceeds_capture")
    assert (refund(payment, 1000), failed()) == ((200, "refunded"), AMOUNT - 1000)
    assert refund(payment, AMOUNT - 999) == (409, "refund_exceeds_capture")
    assert staff.post(path, {}).json()["status"] == "refunded"
    assert (failed(), refund(payment, 1)) == (0, (409, "refund_exceeds_capture"))
    assert asking.books() == [("captured", AMOUNT, AMOUNT)]


def test_what_is_made_again_may_fail_again() -> None:
    payment = captured()
    refund(payment, 1000)
    fail(payment)
    refund(payment, 1500)
    assert failed() == 0
    fail(payment)
    assert (failed(), shown(payment)) == (1500, ("partially_refunded", AMOUNT, 1500))
    assert refund(payment) == (200, "refunded")
    assert (failed(), asking.books()) == (0, [("captured", AMOUNT, AMOUNT)])


def test_what_the_provider_refuses_to_make_again_is_still_to_be_made(stripe_api: Stripe) -> None:
    side, one = _stripe(stripe_api, hosted=False), str(uuid.uuid4())
    side.has_refunds((one, 1000, "succeeded"))
    refund(side.payment, 1000, one)
    side.has_refunds((one, 1000, "failed"))
    failed_refunds.look_for(payment=row(side.payment))
    stripe_api.says("POST", "/refunds", stripes.error("invalid_request_error", "charge_disputed"), 400)
    assert (refund(side.payment, 1000), failed()) == ((409, "refund_refused"), 1000)


def test_staff_try_it_by_hand_and_customers_do_not(staff: Caller, ada: Caller, admin_client: Client) -> None:
    payment = captured()
    refund(payment, 1000)
    path = f"/api/payments/{payment}/simulate/"
    assert ada.post(path, {"outcome": "fail_refunds"}).status_code == 403
    assert (staff.post(path, {"outcome": "fail_refunds"}).status_code, asking.books()[0][2]) == (200, 0)
    failed_refunds.look_for(payment=row(payment))
    refunds = admin_client.get("/admin/paying_service/refund/?failure__isempty=0", HTTP_HOST="localhost")
    assert refunds.status_code == 200
    assert "account_closed" in refunds.content.decode()
