"""Payments that nobody wants any more: what comes of them in whatever order, none of the money is kept."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from paying_service import checkout, forgotten, tasks
from paying_service.models import Payment, Refund
from paying_service.providers import simulated
from paying_service.tests import asking
from paying_service.tests.asking import AMOUNT, ask, books, captured, clock, dies_once, news, opened, refund, shown
from shopkit.errors import Conflict
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_voided_stays_voided() -> None:
    payment = opened()
    assert ask(payment, "void") == (200, "voided")
    assert news(payment) == 1
    assert ask(payment, "authorise") == (200, "voided")
    assert ask(payment, "capture") == (409, "voided")
    assert books() == []


@pytest.mark.parametrize("card", [asking.SUCCEEDS, asking.NEEDS_CONFIRMATION, asking.LATE])
def test_what_is_open_can_be_voided(card: str, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened(card)
    ask(payment, "authorise")
    assert ask(payment, "void") == (200, "voided")
    assert ada.post(f"/api/payments/{payment}/simulate/", {"outcome": "confirm"}).status_code == 409
    clock(monkeypatch, simulated.LATE)
    asking.time_for_a_look()
    checkout.look_at_waiting()
    assert (shown(payment), books()) == (("voided", 0, 0), [("voided", 0, 0)])


def test_a_payment_that_was_never_begun_is_void_after_a_day() -> None:
    """Who opened it died before its order was written, or its order came second."""
    old, young = opened(), opened()
    begun = opened(asking.NEEDS_CONFIRMATION)
    ask(begun, "authorise")
    by_hand = Payment.objects.create(order_id=uuid.uuid4(), provider="simulated", method="card", amount=1).pk
    Payment.objects.exclude(pk=young).update(created_at=timezone.now() - timedelta(hours=25))
    assert [forgotten.void_forgotten() for _ in range(2)] == [1, 0]
    assert (shown(old)[0], shown(young)[0], shown(begun)[0]) == ("voided", "pending", "requires_action")
    assert Payment.objects.get(pk=by_hand).status == "pending"
    assert ask(old, "authorise") == (200, "voided")
    assert forgotten.void_forgotten in [sweep.run for sweep in tasks.SWEEPS]


def test_a_payment_that_is_begun_at_that_moment_is_not_void(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, void = opened(), forgotten._void_unless_begun
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=25))

    def begun_meanwhile(payment_id: uuid.UUID) -> None:
        Payment.objects.update(provider_ref="begun")
        void(payment_id)

    monkeypatch.setattr(forgotten, "_void_unless_begun", begun_meanwhile)
    forgotten.void_forgotten()
    assert Payment.objects.values_list("status", "void_asked").get(pk=payment) == ("pending", False)


def test_a_refused_payment_stays_refused_when_it_is_voided() -> None:
    payment = opened(asking.DECLINED)
    ask(payment, "authorise")
    assert ask(payment, "void") == (200, "failed")


def test_money_that_was_taken_is_not_voided() -> None:
    payment = captured()
    assert ask(payment, "void") == (409, "captured")
    assert books() == [("captured", AMOUNT, 0)]
    refund(payment)
    assert ask(payment, "void") == (409, "captured")


@pytest.mark.parametrize("turn", range(4))
def test_of_capture_and_void_one_wins(turn: int) -> None:
    payment = opened()
    ask(payment, "authorise")
    answers = at_once(lambda number: ask(payment, ("capture", "void")[(number + turn) % 2]), 8)
    [(status, taken, _)] = books()
    assert (status, taken) in (("captured", AMOUNT), ("voided", 0))
    assert {found for code, found in answers if code == 200} == {status}
    for _ in range(2):  # what a capture took after the void was asked is given back
        delivery_of_give_back()
    assert shown(payment)[1] == taken
    assert sum(refunded for _, _, refunded in books()) in (0, taken)
    assert Refund.objects.count() <= 1


def test_a_void_that_was_on_its_way_before_the_charge_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, real = opened(), simulated.authorise

    def overtaken(*asked: Any) -> Any:
        assert ask(payment, "void") == (200, "voided")
        return real(*asked)

    monkeypatch.setattr(simulated, "authorise", overtaken)
    assert ask(payment, "authorise") == (200, "voided")
    assert [charge[1] for charge in books()] == [0]


def delivery_of_give_back() -> None:
    for message in Message.objects.filter(kind=checkout.GIVE_BACK):
        delivery.attempt(message)


def test_a_success_that_comes_after_the_void_was_asked_is_given_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened()
    ask(payment, "authorise")
    dies_once(monkeypatch, simulated, "void")
    assert ask(payment, "void")[0] == 500
    assert ask(payment, "capture")[0] == 409
    simulated.capture(Payment.objects.get())  # one that was asked for before
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert Message.objects.filter(kind=checkout.GIVE_BACK).count() == 1
    delivery_of_give_back()
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    checkout.give_back(payment_id=uuid.UUID(payment))
    checkout.look_at_waiting()
    assert (Refund.objects.count(), books()) == (1, [("captured", AMOUNT, AMOUNT)])


def test_a_capture_that_a_void_overtakes_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, real = opened(), simulated.capture
    ask(payment, "authorise")

    def overtaken(*asked: Any) -> Any:
        charge = real(*asked)
        assert ask(payment, "void") == (409, "captured")
        return charge

    monkeypatch.setattr(simulated, "capture", overtaken)
    ask(payment, "capture")
    for _ in range(2):
        delivery_of_give_back()
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    assert books() == [("captured", AMOUNT, AMOUNT)]


def taken_too_late() -> Message:
    """The message that all of a capture is to be given back, since a void was asked for before it."""
    payment = opened()
    ask(payment, "authorise")
    Payment.objects.update(void_asked=True)
    simulated.capture(Payment.objects.get())
    checkout.hear(payment_id=uuid.UUID(payment))
    return Message.objects.get(kind=checkout.GIVE_BACK)


def try_again(message: Message) -> str:
    """What has become of the message after another try."""
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now())
    message.refresh_from_db()
    delivery.attempt(message)
    message.refresh_from_db()
    return str(message.state)


def refusing(code: str) -> Any:
    def refuse(*asked: Any, **named: Any) -> Any:
        raise Conflict(code=code)

    return refuse


@pytest.mark.parametrize("code", ["refund_refused", "conflict"])
def test_what_can_not_be_given_back_now_is_given_back_later(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's balance at the provider may be too low today."""
    message = taken_too_late()
    with monkeypatch.context() as patch:
        patch.setattr(simulated, "refund", refusing(code))
        assert [try_again(message) for _ in range(2)] == ["pending"] * 2
    assert try_again(message) == "done"
    assert (Refund.objects.count(), books()) == (1, [("captured", AMOUNT, AMOUNT)])


@pytest.mark.parametrize("code", ["not_captured", "refund_exceeds_capture", "charge_differs"])
def test_what_the_provider_owes_to_nobody_is_asked_for_once(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = taken_too_late()
    monkeypatch.setattr(simulated, "refund", refusing(code))
    assert try_again(message) == "done"
