"""A payment's way, as the order service asks for it: whatever is repeated, lost or at once, it is charged once."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from paying_service import checkout
from paying_service.models import Payment, SimulatedCharge
from paying_service.providers import simulated
from paying_service.tests import asking
from paying_service.tests.asking import (
    AMOUNT,
    ask,
    books,
    captured,
    clock,
    dies_once,
    due,
    news,
    offer,
    opened,
    order_service,
    refund,
    shown,
)
from paying_service.tests.conftest import demand
from shopkit import topology
from shopkit.errors import Unavailable
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = tuple(simulated.CARDS)


def test_a_card_that_succeeds_is_charged() -> None:
    payment = captured()
    assert shown(payment) == ("captured", AMOUNT, 0)
    assert books() == [("captured", AMOUNT, 0)]


@pytest.mark.parametrize(("card", "code"), [(asking.DECLINED, "declined"), (asking.INSUFFICIENT, "insufficient_funds")])
def test_a_card_that_is_refused_says_why(card: str, code: str, ada: Caller) -> None:
    payment = opened(card)
    assert ask(payment, "authorise") == (200, "failed")
    body = ada.get(f"/api/payments/{payment}/").json()
    assert (body["failure_code"], body["failure_message"]) == (code, simulated.MESSAGES[code])
    assert ask(payment, "capture") == (409, "failed")
    assert books() == [("failed", 0, 0)]


@pytest.mark.parametrize(("outcome", "status"), [("confirm", "authorised"), ("decline", "failed")])
def test_a_card_that_needs_confirmation_waits_for_its_customer(
    outcome: str, status: str, ada: Caller, bob: Caller
) -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    assert ask(payment, "authorise") == (200, "requires_action")
    assert ada.get(f"/api/payments/{payment}/").json()["action_url"] == f"/api/payments/{payment}/pay/"
    page = f"/api/payments/{payment}/simulate/"
    assert bob.post(page, {"outcome": outcome}).status_code == 404
    assert ada.post(page, {"outcome": "perhaps"}).status_code == 400
    before = news(payment)
    answer = ada.post(page, {"outcome": outcome})
    assert (answer.status_code, answer.data["status"], answer.data["action_url"]) == (200, status, "")
    assert news(payment) == before + 1
    assert ada.post(page, {"outcome": outcome}).json()["code"] == "nothing_to_confirm"
    assert ask(payment, "authorise") == (200, status)


def test_a_late_card_succeeds_once_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened(asking.LATE)
    assert ask(payment, "authorise") == ask(payment, "authorise") == (200, "pending")
    clock(monkeypatch, simulated.LATE)
    assert checkout.look_at_waiting() == 0  # not asked after yet
    asking.time_for_a_look()
    asking.forget_news()
    assert checkout.look_at_waiting() == 1
    assert news(payment) == 1
    assert ask(payment, "capture") == (200, "captured")


def test_what_waits_is_asked_after_less_and_less_often() -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    Payment.objects.update(updated_at=timezone.now() - timedelta(seconds=60))
    asking.time_for_a_look()
    now = timezone.now()
    assert checkout.look_at_waiting() == 1
    assert Payment.objects.get().look_at >= now + timedelta(seconds=120)
    assert checkout.look_at_waiting() == 0
    Payment.objects.update(updated_at=timezone.now() - timedelta(days=1))
    asking.time_for_a_look()
    checkout.look_at_waiting()
    assert Payment.objects.get().look_at <= timezone.now() + checkout.LOOK_AT_MOST


def test_a_payment_that_is_opened_again_is_the_same() -> None:
    asked = asking.wanted()
    first, second = (asking.order_service().post("/internal/payments/", asked).json() for _ in range(2))
    assert first == second
    assert (Payment.objects.count(), first["status"], books()) == (1, "pending", [])


@pytest.mark.parametrize("card", NUMBERS)
def test_whatever_is_asked_twice_is_done_once(card: str) -> None:
    payment = opened(card)
    for step in ("authorise", "capture", "authorise", "void", "capture"):
        once = ask(payment, step)
        version, told = Payment.objects.get().version, news(payment)
        assert ask(payment, step) == once
        assert (Payment.objects.get().version, news(payment)) == (version, told)
    assert SimulatedCharge.objects.count() == 1
    taken = [AMOUNT] if card == asking.SUCCEEDS else [0]
    assert [charge.captured for charge in SimulatedCharge.objects.all()] == taken


@pytest.mark.parametrize("step", ["authorise", "capture", "void"])
def test_what_many_ask_at_once_is_done_once(step: str) -> None:
    payment = opened()
    if step != "authorise":
        ask(payment, "authorise")
    asking.forget_news()
    answers = at_once(lambda _turn: ask(payment, step), 16)
    assert {answer for answer in answers if answer[0] != 409} == {
        (200, {"authorise": "authorised", "capture": "captured", "void": "voided"}[step])
    }
    assert (len(books()), news(payment)) == (1, step == "void")  # of the others the order hears by our answer


@pytest.mark.parametrize("step", ["authorise", "capture", "void", "refunds"])
def test_an_answer_that_was_never_written_down_is_asked_for_again(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = {"authorise": opened, "capture": opened, "void": opened, "refunds": captured}[step]()
    if step in ("capture", "void"):
        ask(payment, "authorise")
    body = {"refund_id": str(uuid.uuid4())} if step == "refunds" else {}
    dies_once(monkeypatch, checkout, "apply")
    assert ask(payment, step, **body)[0] == 500
    asking.forget_news()
    status = {"authorise": "authorised", "capture": "captured", "void": "voided", "refunds": "refunded"}[step]
    assert ask(payment, step, **body) == (200, status)
    taken, back = (AMOUNT if step in ("capture", "refunds") else 0), (AMOUNT if step == "refunds" else 0)
    assert shown(payment) == (status, taken, back)
    assert [found[1:] for found in books()] == [(taken, back)]
    assert news(payment) == (step in ("void", "refunds"))  # of the others the order hears by our answer


@pytest.mark.parametrize("step", ["authorise", "capture", "void"])
def test_a_provider_that_was_never_reached_is_asked_again(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened()
    if step != "authorise":
        ask(payment, "authorise")
    dies_once(monkeypatch, simulated, step)
    assert ask(payment, step)[0] == 500
    status = {"authorise": "authorised", "capture": "captured", "void": "voided"}[step]
    assert ask(payment, step) == (200, status)
    assert [charge.status for charge in SimulatedCharge.objects.all()] == [status]


def test_a_payment_that_no_provider_has_heard_of_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, other = opened(), opened(asking.LATE)
    dies_once(monkeypatch, simulated, "authorise")
    assert ask(payment, "authorise")[0] == 500
    assert shown(payment) == ("pending", 0, 0)
    ask(other, "authorise")
    asking.time_for_a_look()
    clock(monkeypatch, simulated.LATE)
    assert checkout.look_at_waiting() == 2  # and the other one is looked at all the same
    assert shown(other) == ("authorised", 0, 0)
    assert ask(payment, "authorise") == (200, "authorised")


@pytest.mark.parametrize(
    ("card", "status"),
    [(asking.DECLINED, "failed"), (asking.NEEDS_CONFIRMATION, "requires_action"), (asking.LATE, "pending")],
)
def test_what_is_not_authorised_is_not_captured(card: str, status: str) -> None:
    payment = opened(card)
    assert ask(payment, "capture") == (409, "pending")
    ask(payment, "authorise")
    assert ask(payment, "capture") == (409, status)
    assert shown(payment)[1] == 0


@pytest.mark.parametrize("card", NUMBERS)
def test_a_card_number_is_in_no_table_and_in_no_log(
    card: str, ada: Caller, staff: Caller, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    payment = opened(" ".join(card[at : at + 4] for at in range(0, 16, 4)))
    for step in ("authorise", "capture", "void"):
        ask(payment, step)
    refund(payment)
    ada.post("/api/payments/", offer(due(), token=card), headers={"Idempotency-Key": card[::-1]})
    ada.post("/api/payments/", offer(due(), token=card + "0"))
    asking.order_service().post("/internal/payments/", asking.wanted(card + "0"))
    shown_to_staff = staff.get("/api/payments/").content.decode()
    rows = [str(list(model.objects.values())) for model in apps.get_models()]
    written = [*rows, *capfd.readouterr(), caplog.text, shown_to_staff]
    assert any(payment in text or uuid.UUID(payment).hex in text for text in rows)
    for text in written:
        assert card not in text.replace(" ", "")


def test_the_order_is_told_of_each_change_that_it_did_not_have_for_an_answer() -> None:
    payment = opened()
    told = [news(payment)]
    for step in ("authorise", "capture"):
        ask(payment, step)
        told.append(news(payment))
    for _ in range(2):
        refund(payment, 1000)
        told.append(news(payment))
        Message.objects.update(fence=1)  # as if it were told of by now
    assert told == [0, 0, 0, 1, 2]


def test_what_the_order_is_told_is_how_the_payment_is_by_then(peers: Any) -> None:
    payment = captured()
    order = str(Payment.objects.get().order_id)
    url = f"{topology.service('order_service').url}/internal/payment-events/"
    peers.post(url, status=204)
    for _ in range(2):
        refund(payment, 1000)
    assert delivery.deliver_due() == 1
    [sent] = [json.loads(call.request.body) for call in peers.calls]
    told = {"payment_id": payment, "order_id": order, "version": 5, "status": "partially_refunded", "refunded": 2000}
    assert sent == told


def test_a_payment_in_the_providers_hands_is_not_changed_by_hand(staff: Caller) -> None:
    payment = opened()
    path = f"/api/payments/{payment}/"
    for _ in range(2):
        for status in ("captured", "voided", "failed"):
            assert staff.patch(path, {"status": status}).json()["code"] == "not_by_hand"
        assert staff.delete(path).json()["code"] == "not_deletable"
        ask(payment, "authorise")
    assert shown(payment) == ("authorised", 0, 0)


@pytest.mark.parametrize("step", ["", "authorise/", "capture/", "void/", "refunds/"])
def test_only_services_ask(step: str, ada: Caller, staff: Caller) -> None:
    path = f"/internal/payments/{opened()}/{step}"
    for someone in (ada, staff):
        answer = someone.post(path, {"refund_id": str(uuid.uuid4())}) if step else someone.get(path)
        assert answer.status_code == 403
    assert ask(str(uuid.uuid4()), step.strip("/") or "void", refund_id=str(uuid.uuid4()))[0] == 404


def test_one_payment_that_cannot_be_looked_at_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = opened(asking.LATE), opened(asking.LATE)
    for payment in (first, second):
        ask(payment, "authorise")
    asking.time_for_a_look()
    clock(monkeypatch, simulated.LATE)
    real, left = simulated.fetch, [1]

    def away(payment: Payment) -> Any:
        if left:
            left.pop()
            raise Unavailable
        return real(payment)

    monkeypatch.setattr(simulated, "fetch", away)
    assert checkout.look_at_waiting() == 2
    assert sorted(row.status for row in Payment.objects.all()) == ["authorised", "pending"]


def test_the_auditor_is_told_of_every_payment_and_which_were_recorded_by_hand(staff: Caller) -> None:
    payment, by_hand = captured(), staff.post("/api/payments/", demand()).json()["id"]
    rows = {row["id"]: row for row in order_service().get("/internal/payments/").json()["rows"]}
    assert {key: (row["status"], row["captured"], row["by_hand"]) for key, row in rows.items()} == {
        payment: ("captured", AMOUNT, False),
        by_hand: ("pending", 0, True),
    }
    assert all(datetime.fromisoformat(row["created_at"]).tzinfo for row in rows.values())
