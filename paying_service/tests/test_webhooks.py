"""What the provider sends: kept once if it is signed, and a reason to ask what is true, never the truth itself."""

import itertools
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from paying_service import webhooks
from paying_service.models import Payment, WebhookEvent
from paying_service.providers import simulated
from paying_service.tests import asking
from paying_service.tests.asking import AMOUNT, ask, opened, shown
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.signature import sign
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/payments/webhooks/simulated/"
SECRETS = ["the-one-of-today", "the-one-of-yesterday"]


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.SIMULATED_SECRETS = SECRETS


@pytest.fixture
def late() -> str:
    """A payment that its customer has confirmed at the provider, and of which we have not heard yet."""
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    simulated.confirm(asking.row(payment), accepted=True)
    return payment


def ref(payment: str) -> str:
    return Payment.objects.get(pk=payment).provider_ref


def event(payment: str, **changes: Any) -> dict[str, Any]:
    body = {"id": f"evt_{uuid.uuid4().hex}", "type": "charge.authorised", "charge": ref(payment)}
    return {**body, "amount": AMOUNT, "currency": "USD", **changes}


def post(body: bytes, signature: str | None) -> Any:
    headers = {} if signature is None else {"Simulated-Signature": signature}
    nobody = Caller(HTTP_HOST="localhost")
    return nobody.post(PATH, data=body, content_type="application/json", headers=headers)


def send(body: dict[str, Any] | bytes, *, secret: str = SECRETS[0], ago: int = 0) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return post(raw, sign(raw, secret=secret, at=int(time.time()) - ago))


def refused(answer: Any) -> tuple[int, str]:
    """The answer's status and code; nothing was kept."""
    assert (WebhookEvent.objects.count(), Message.objects.filter(kind="webhook").count()) == (0, 0)
    return answer.status_code, answer.json()["code"]


def deliver() -> None:
    for message in Message.objects.filter(kind="webhook", state="pending"):
        assert delivery.attempt(message)


def known(payment: str) -> tuple[str, int]:
    """What we have written of it, without asking the provider."""
    row = Payment.objects.get(pk=payment)
    return row.status, row.captured


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_signed_with_a_live_secret_is_kept_and_looked_into(late: str, secret: str) -> None:
    body = event(late)
    answer = send(body, secret=secret)
    assert (answer.status_code, answer.json()) == (200, {"new": True})
    assert json.loads(WebhookEvent.objects.get().raw) == body
    assert known(late) == ("requires_action", 0)  # the answer does not wait for it
    deliver()
    assert known(late) == ("authorised", 0)


def test_an_event_that_comes_again_is_kept_once(late: str) -> None:
    body = event(late)
    assert [send(body, ago=ago).json()["new"] for ago in (0, 1, 2)] == [True, False, False]
    assert (WebhookEvent.objects.count(), Message.objects.filter(kind="webhook").count()) == (1, 1)


def test_an_event_that_comes_many_times_at_once_is_kept_once(late: str) -> None:
    body = event(late)
    answers = at_once(lambda _turn: send(body).json()["new"], 16)
    assert sorted(answers) == [False] * 15 + [True]
    assert (WebhookEvent.objects.count(), Message.objects.filter(kind="webhook").count()) == (1, 1)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "nonsense",
        "t=,v1=",
        "t=x,v1=x",
        "t=²,v1=x",
        "t=-1,v1=x",
        f"t={'9' * 5000},v1=x",
        "v1=x",
        "t=1",
        "t=1,v1=é",
    ],
)
def test_what_is_not_signed_is_refused(late: str, signature: str | None) -> None:
    body = json.dumps(event(late)).encode()
    assert refused(post(body, signature)) == (401, "bad_signature")


def test_what_another_secret_signed_is_refused(late: str) -> None:
    assert refused(send(event(late), secret="another")) == (401, "bad_signature")
    assert refused(send(event(late), secret="")) == (401, "bad_signature")


def test_a_body_or_a_time_that_was_changed_is_refused(late: str) -> None:
    body, now = event(late), int(time.time())
    signature = sign(json.dumps(body).encode(), secret=SECRETS[0], at=now)
    assert refused(post(json.dumps({**body, "amount": 1}).encode(), signature)) == (401, "bad_signature")
    assert refused(post(json.dumps(body).encode() + b" ", signature)) == (401, "bad_signature")
    later = signature.replace(f"t={now}", f"t={now + 1}")
    assert refused(post(json.dumps(body).encode(), later)) == (401, "bad_signature")


@pytest.mark.parametrize("ago", [305, 86400, -305, -86400])
def test_what_is_too_old_or_of_the_future_is_refused(late: str, ago: int) -> None:
    assert refused(send(event(late), ago=ago)) == (401, "stale_webhook")


@pytest.mark.parametrize("ago", [290, -290])
def test_what_is_a_little_old_or_early_is_taken(late: str, ago: int) -> None:
    assert send(event(late), ago=ago).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'"text"', b"7", b"\xff\xfe", "{}".encode("utf-16"), b"[" * 100_000]
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    assert refused(send(body)) == (400, "malformed_webhook")


@pytest.mark.parametrize("name", ["id", "charge", "amount", "currency"])
def test_an_event_that_lacks_something_is_refused(late: str, name: str) -> None:
    body = event(late)
    del body[name]
    assert refused(send(body)) == (400, "malformed_webhook")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"id": "x" * 101},
        {"id": "evt\0"},
        {"id": "evt\ud800"},
        {"charge": {}},
        {"charge": ""},
        {"charge": "x\0"},
        {"amount": "6498"},
        {"amount": True},
        {"currency": 840},
    ],
)
def test_an_event_with_something_else_in_it_is_refused(late: str, changes: dict[str, Any]) -> None:
    assert refused(send(event(late, **changes))) == (400, "malformed_webhook")


def test_an_event_in_another_encoding_is_refused(late: str) -> None:
    assert refused(send(json.dumps(event(late)).encode("utf-16"))) == (400, "malformed_webhook")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": AMOUNT - 1}, "amount_differs"),
        ({"amount": 0}, "amount_differs"),
        ({"currency": "EUR"}, "amount_differs"),
        ({"charge": "unknown"}, "unknown_payment"),
    ],
)
def test_an_event_that_does_not_fit_counts_for_nothing_and_is_logged_with_why(
    late: str, changes: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(webhooks, "log", SimpleNamespace(warning=lambda what, **why: logged.append(why)))
    opened()  # nobody was asked for this one, so no event is about it
    told = Message.objects.filter(kind="payment_changed").count()
    body = event(late, **changes)
    assert send(body).status_code == 200
    deliver()
    assert logged == [{"code": code, "provider": "simulated", "event_id": body["id"], "ref": body["charge"]}]
    assert known(late) == ("requires_action", 0)
    assert Message.objects.filter(kind="payment_changed").count() == told


def test_an_event_that_tells_a_lie_counts_for_nothing() -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    send(event(payment, type="charge.captured", status="captured", captured=AMOUNT))
    deliver()
    assert known(payment) == ("requires_action", 0)


def test_an_event_takes_nothing_back() -> None:
    payment = asking.captured()
    asking.refund(payment, 1000)
    before = Payment.objects.values().get()
    for kind in ("charge.authorised", "charge.failed", "charge.voided", "charge.captured"):
        send(event(payment, type=kind))
    deliver()
    assert Payment.objects.values().get() == before


@pytest.mark.any_store
@pytest.mark.django_db
def test_five_events_in_any_order_and_each_twice_come_to_the_same() -> None:
    """Each of the 120 orders for a payment of its own, which goes on at the provider in between."""
    kinds = ("created", "requires_action", "authorised", "captured", "refunded")
    ends = []
    for number, order in enumerate(itertools.permutations(kinds)):
        payment = opened(asking.NEEDS_CONFIRMATION)
        ask(payment, "authorise")
        asking.forget_news()
        events = {kind: event(payment, type=f"charge.{kind}") for kind in kinds}
        for at, kind in enumerate(order):
            go_on(payment, at - number % 3)
            assert send(events[kind]).json() == {"new": True}
            assert send(events[kind]).json() == {"new": False}
            deliver()
        assert send(events[order[0]]).json() == {"new": False}
        ends.append((shown(payment), known(payment)))
        assert 1 <= asking.news(payment) <= 3  # what came at once is told at once
    assert len(ends) == 120
    assert set(ends) == {(("refunded", AMOUNT, AMOUNT), ("refunded", AMOUNT))}


def go_on(payment: str, step: int) -> None:
    """What happens at the provider, without our asking: confirmed, captured, given back."""
    row = asking.row(payment)
    if step == 0:
        simulated.confirm(row, accepted=True)
    if step == 1:
        simulated.capture(row)
    if step == 2:
        simulated.refund(row, key="by hand", amount=AMOUNT)
