"""What is given back: once by its id, never more than was taken, and what was promised is made."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from paying_service import checkout
from paying_service.models import Refund
from paying_service.providers import simulated
from paying_service.tests.asking import AMOUNT, ask, books, captured, dies_once, news, opened, refund, shown
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_what_was_taken_parts_are_given_back_until_nothing_is_left() -> None:
    payment = captured()
    assert refund(payment, 1000) == (200, "partially_refunded")
    assert shown(payment) == ("partially_refunded", AMOUNT, 1000)
    assert refund(payment, AMOUNT - 999) == (409, "refund_exceeds_capture")
    assert refund(payment) == (200, "refunded")
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    assert refund(payment) == refund(payment, 1) == (409, "refund_exceeds_capture")
    assert books() == [("captured", AMOUNT, AMOUNT)]


def test_a_refund_counts_once_by_its_id() -> None:
    payment, one = captured(), str(uuid.uuid4())
    assert refund(payment, 1000, one) == refund(payment, 1000, one) == (200, "partially_refunded")
    assert books() == [("captured", AMOUNT, 1000)]
    assert news(payment) == 1


def test_a_refund_id_of_another_payment_is_refused() -> None:
    one = str(uuid.uuid4())
    refund(captured(), 1000, one)
    payment = captured()
    assert refund(payment, 1000, one) == (409, "refund_id_used")
    assert shown(payment) == ("captured", AMOUNT, 0)


@pytest.mark.parametrize("amount", [0, -1, "x"])
def test_a_refund_of_nothing_is_refused(amount: Any) -> None:
    assert refund(captured(), amount)[0] == 400


def test_nothing_is_given_back_of_what_was_not_taken() -> None:
    payment = opened()
    ask(payment, "authorise")
    assert refund(payment) == (409, "not_captured")


def test_refunds_at_once_never_give_back_more_than_was_taken() -> None:
    payment = captured()
    answers = at_once(lambda _turn: refund(payment, 1000)[0], 16)
    assert answers.count(200) == AMOUNT // 1000
    assert set(answers) == {200, 409}
    assert shown(payment) == ("partially_refunded", AMOUNT, 6000)
    assert books() == [("captured", AMOUNT, 6000)]


def test_a_refund_that_the_provider_has_made_and_nobody_noted_as_done_counts_once() -> None:
    payment = captured()
    refund(payment, 1000)
    Refund.objects.update(done=False)  # as for a moment between the two, or for ever if the process dies there
    assert refund(payment, AMOUNT - 1000) == (200, "refunded")
    assert refund(payment, 1) == (409, "refund_exceeds_capture")


def test_the_same_refund_at_once_is_one() -> None:
    payment, one = captured(), str(uuid.uuid4())
    answers = at_once(lambda _turn: refund(payment, 1000, one)[0], 16)
    assert set(answers) == {200}
    assert books() == [("captured", AMOUNT, 1000)]


def test_a_refund_that_nobody_repeats_is_made_all_the_same(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = captured()
    dies_once(monkeypatch, simulated, "refund")
    assert staff.post(f"/api/payments/{payment}/refund/", {"amount": "10.00"}).status_code == 500
    Refund.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert checkout.finish_refunds() == 1
    assert checkout.finish_refunds() == 0
    assert shown(payment) == ("partially_refunded", AMOUNT, 1000)
    assert books() == [("captured", AMOUNT, 1000)]


def test_staff_give_back_once_for_each_key(staff: Caller, ada: Caller) -> None:
    payment = captured()
    path = f"/api/payments/{payment}/refund/"
    assert ada.post(path, {"amount": "10.00"}).status_code == 403
    answers = [staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["refunded"] for answer in answers} == {"10.00"}
    assert answers[1]["Idempotent-Replayed"] == "true"
    for _ in range(2):
        answer = staff.post(path, {"amount": "10.00"})
    assert answer.json()["refunded"] == "30.00"
    assert staff.post(path, {"amount": "64.98"}).json()["code"] == "refund_exceeds_capture"
    assert staff.post(path, {}).json()["status"] == "refunded"
    assert books() == [("captured", AMOUNT, AMOUNT)]


def test_staff_who_repeat_a_refund_that_broke_off_give_back_once(
    staff: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/payments/{captured()}/refund/"
    dies_once(monkeypatch, checkout, "apply")
    assert staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"}).status_code == 500
    answer = staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"})
    assert (answer.status_code, answer.json()["refunded"]) == (200, "10.00")
    assert books() == [("captured", AMOUNT, 1000)]
