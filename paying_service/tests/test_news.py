"""The simulated provider's webhooks as it really sends them: signed, twice, late or never, and still it comes right."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from paying_service import checkout
from paying_service.keys import keys
from paying_service.models import Payment, WebhookEvent
from paying_service.providers import simulated, simulated_news
from paying_service.tests import asking
from paying_service.tests.asking import AMOUNT, ask, clock, opened, refund
from shopkit import topology
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
URL = f"{topology.service('paying_service').url}/api/payments/webhooks/simulated/"
OURS = [simulated_news.NEWS, simulated_news.LATE_CHARGE, "webhook"]


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch, _no_news: None) -> Iterator[list[int]]:
    """What our own endpoint answers to what is sent over the wire."""
    monkeypatch.setattr(keys(), "simulated_lost", 0.0)
    monkeypatch.setattr(keys(), "simulated_duplicates", 0.0)
    codes: list[int] = []

    def arrives(request: Any) -> tuple[int, dict[str, str], str]:
        headers = {"Simulated-Signature": request.headers["Simulated-Signature"]}
        nobody = Caller(HTTP_HOST="localhost")
        answer = nobody.post(
            "/api/payments/webhooks/simulated/", data=request.body, content_type="application/json", headers=headers
        )
        codes.append(answer.status_code)
        return answer.status_code, {}, answer.content.decode()

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("POST", URL, arrives)
        yield codes


def deliver() -> None:
    """Whatever is due of the provider's and the inbox's, until there is nothing more."""
    due = Message.objects.filter(kind__in=OURS, state="pending")
    while sum(delivery.attempt(each) for each in due.all()):
        pass


def kinds() -> list[str]:
    return [json.loads(each.raw)["type"] for each in WebhookEvent.objects.order_by("pk")]


def test_each_change_is_told_and_taken(told: list[int]) -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    simulated.confirm(asking.row(payment), accepted=True)
    deliver()
    assert asking.row(payment).status == "authorised"  # nobody asked
    ask(payment, "capture")
    refund(payment, 1000)
    refund(payment)
    deliver()
    statuses = ["requires_action", "authorised", "captured", "partially_refunded", "refunded"]
    assert kinds() == [f"charge.{status}" for status in statuses]
    assert set(told) == {200}


def test_some_are_sent_twice_and_kept_once(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys(), "simulated_duplicates", 1.0)
    ask(opened(), "authorise")
    deliver()
    assert (told, WebhookEvent.objects.count()) == ([200, 200], 1)


def test_some_are_late(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys(), "simulated_delay", 3600.0)
    monkeypatch.setattr(simulated_news.random, "random", lambda: 0.5)
    ask(opened(), "authorise")
    deliver()
    assert told == []
    Message.objects.update(lease_until="2000-01-01T00:00:00Z")
    deliver()
    assert told == [200]


def test_one_that_was_lost_is_made_good_by_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys(), "simulated_lost", 1.0)
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    simulated.confirm(asking.row(payment), accepted=True)
    deliver()
    assert (asking.row(payment).status, WebhookEvent.objects.count()) == ("requires_action", 0)
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert asking.row(payment).status == "authorised"


def test_a_late_success_is_told_when_it_comes(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened(asking.LATE)
    ask(payment, "authorise")
    deliver()
    assert asking.row(payment).status == "pending"
    clock(monkeypatch, simulated.LATE)
    Message.objects.update(lease_until="2000-01-01T00:00:00Z")
    deliver()
    assert asking.row(payment).status == "authorised"
    assert kinds() == ["charge.pending", "charge.authorised"]


def test_one_that_the_shop_did_not_take_is_sent_again(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    secrets = settings.SIMULATED_SECRETS
    ask(opened(), "authorise")
    [message] = Message.objects.filter(kind=simulated_news.NEWS)
    monkeypatch.setattr("shopkit.signature.sign", lambda body, *, secret, at: "t=1,v1=x")
    assert delivery.attempt(message) is False
    monkeypatch.undo()
    settings.SIMULATED_SECRETS = [*secrets, "another"]
    Message.objects.update(lease_until="2000-01-01T00:00:00Z")
    message.refresh_from_db()
    assert delivery.attempt(message) is True


def test_a_card_number_is_in_none(ada: Caller) -> None:
    payment = opened("")
    ask(payment, "authorise")
    ada.post(f"/api/payments/{payment}/pay/", {"card": asking.SUCCEEDS}, format="multipart")
    deliver()
    assert Payment.objects.get().status == "authorised"
    rows = [*WebhookEvent.objects.values_list("raw", flat=True), *map(str, Message.objects.values())]
    assert not any(asking.SUCCEEDS in row for row in rows)
    assert str(AMOUNT) in rows[0]
