"""Requests repeated with their key: at once, while the first still runs, and after their answer was forgotten."""

from collections.abc import Callable
from typing import Any

import pytest

from paying_service import checkout
from paying_service.models import Payment, Refund
from paying_service.tests.asking import captured, due, shown
from shopkit.idempotency.models import Answer
from shopkit.testing import Caller, at_once, caller, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
KEY = {"HTTP_IDEMPOTENCY_KEY": "one"}
Ask = Callable[[], Any]


def paying() -> Ask:
    wish = {"order_id": due(), "provider": "simulated", "method": "card", "token": "4111111111111111"}
    return lambda: caller("ada", "vip").post("/api/payments/", wish, **KEY)


def refunding() -> Ask:
    path = f"/api/payments/{captured()}/refund/"
    return lambda: staff_caller().post(path, {"amount": "1.00"}, **KEY)


@pytest.mark.parametrize(("begin", "code"), [(paying, 202), (refunding, 200)])
def test_of_many_at_once_with_one_key_one_takes_effect(begin: Callable[[], Ask], code: int) -> None:
    ask = begin()
    answers = at_once(lambda _turn: ask(), 16)
    assert {answer.status_code for answer in answers} <= {code, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == code}) == 1
    assert (Payment.objects.count(), Refund.objects.count()) == (1, int(begin is refunding))


@pytest.mark.parametrize(("begin", "use_case"), [(paying, "offer"), (refunding, "refund")])
def test_while_the_first_runs_the_next_is_told_so(
    monkeypatch: pytest.MonkeyPatch, begin: Callable[[], Ask], use_case: str
) -> None:
    ask, act, meanwhile = begin(), getattr(checkout, use_case), []

    def slow(**given: Any) -> Any:
        meanwhile.append(ask())
        return act(**given)

    monkeypatch.setattr(checkout, use_case, slow)
    assert ask().status_code < 300
    assert [(each.status_code, each.json()["code"], each["Retry-After"]) for each in meanwhile] == [
        (409, "in_progress", "1")
    ]


def test_a_refund_that_is_repeated_after_its_answer_was_forgotten_is_the_same(staff: Caller) -> None:
    payment = captured()
    ask = lambda: staff.post(f"/api/payments/{payment}/refund/", {"amount": "1.00"}, **KEY)  # noqa: E731
    first = ask().json()
    Answer.objects.all().delete()
    assert ask().json() == first
    assert (shown(payment)[2], Refund.objects.count()) == (100, 1)
