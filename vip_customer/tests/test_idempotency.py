"""`Idempotency-Key` over HTTP, on the redemption of a benefit and on points from staff."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shopkit.errors import Unavailable
from shopkit.idempotency.models import Answer
from shopkit.idempotency.services import LEASE
from shopkit.testing import Caller, at_once, caller, staff_caller
from vip_customer import services, tasks
from vip_customer.models import Benefit, Customer

pytestmark = pytest.mark.django_db
POINTS = "/api/customers/456/points/"
GIFT = {"points": 100, "reason": "Thanks"}


def give(body: dict[str, Any] | None = None, *, key: str = "k1", path: str = POINTS, who: Caller | None = None) -> Any:
    return (who or staff_caller()).post(path, body or GIFT, headers={"Idempotency-Key": key})


def points() -> int:
    return Customer.objects.get(pk="456").points


def outcome(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def age(**by: float) -> None:
    Answer.objects.update(started_at=timezone.now() - timedelta(**by))


@pytest.fixture
def died(vip: Customer) -> None:
    """A first request whose process died."""
    give()
    Customer.objects.update(points=0)
    Answer.objects.update(status=None, body="")


def test_the_same_key_and_body_get_the_first_answer_again(vip: Customer) -> None:
    first, second = give(), give()
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert points() == 100


def test_a_key_may_be_bare_or_quoted(vip: Customer) -> None:
    give(key="k1")
    assert give(key='"k1"')["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in give(key=r'"k\"1"')


def test_without_a_key_each_request_counts(vip: Customer, staff: Caller) -> None:
    staff.post(POINTS, GIFT)
    staff.post(POINTS, GIFT)
    assert (points(), Answer.objects.count()) == (200, 0)


def test_the_same_key_with_another_body_is_refused(vip: Customer) -> None:
    give()
    assert outcome(give({**GIFT, "points": 200})) == (422, "idempotency_key_reused")
    assert points() == 100


@pytest.mark.parametrize("key", ["", '""', "x" * 256, '"open', 'two" "keys', "k ey", '"k";a=1'])
def test_what_is_no_key_is_refused(vip: Customer, key: str) -> None:
    assert outcome(give(key=key)) == (400, "invalid_idempotency_key")
    assert points() == 0


def test_a_key_of_255_characters_is_one(vip: Customer) -> None:
    assert give(key="x" * 255).status_code == 201
    assert give(key='"' + "x" * 255 + '"')["Idempotent-Replayed"] == "true"


def test_keys_differ_in_their_case(vip: Customer) -> None:
    give(key="k1")
    give(key="K1")
    assert points() == 200


def test_a_key_is_for_one_path(vip: Customer) -> None:
    give()
    give(path="/api/vip-customer/456/points/")
    assert points() == 200


def test_a_key_is_its_callers_own(vip: Customer) -> None:
    benefit = Benefit.objects.create(tier="bronze", kind="discount", name="2 % off")
    path = f"/api/customers/456/benefits/{benefit.pk}/redeem/"
    mine, staffs = (give({}, path=path, who=who) for who in (caller("456", "vip"), staff_caller()))
    assert (mine.status_code, staffs.status_code, vip.redemptions.count()) == (201, 201, 2)
    assert mine.json() != staffs.json()


def test_a_refusal_is_an_answer_too(vip: Customer, me: Caller) -> None:
    benefit = Benefit.objects.create(tier="bronze", kind="discount", name="2 % off", cost=50)
    path = f"/api/customers/me/benefits/{benefit.pk}/redeem/"
    assert outcome(give({}, path=path, who=me)) == (409, "not_enough_points")
    give(key="k2")
    again = give({}, path=path, who=me)
    assert (outcome(again), again["Idempotent-Replayed"]) == ((409, "not_enough_points"), "true")


@pytest.mark.parametrize("error", [Unavailable(), RuntimeError()])
def test_a_failure_is_no_answer(vip: Customer, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(**_: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(services, "adjust_points", fails)
        assert give().status_code >= 500
    assert give().status_code == 201
    assert points() == 100


def test_what_is_to_be_tried_again_is_no_answer(vip: Customer) -> None:
    Customer.objects.update(moving_to="registered")
    assert outcome(give()) == (409, "moving")
    Customer.objects.update(moving_to="")
    assert give().status_code == 201


def test_a_place_to_go_to_is_no_answer(vip: Customer) -> None:
    Customer.objects.update(moved_to="registered")
    assert give().status_code == 307
    Customer.objects.update(moved_to="")
    assert give().status_code == 201


def test_while_the_first_is_running_the_next_is_asked_to_come_again(died: None) -> None:
    answer = give()
    assert (outcome(answer), answer["Retry-After"]) == ((409, "in_progress"), "1")
    assert points() == 0


def test_another_body_is_refused_while_the_first_is_running_too(died: None) -> None:
    assert outcome(give({**GIFT, "points": 200})) == (422, "idempotency_key_reused")


def test_who_died_is_taken_over_after_the_lease(died: None) -> None:
    age(seconds=LEASE.total_seconds() + 1)
    assert give().status_code == 201
    assert give()["Idempotent-Replayed"] == "true"
    assert points() == 100


def test_who_was_taken_over_undoes_what_they_did(vip: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    adjust = services.adjust_points

    def slow(**wanted: Any) -> Any:
        Answer.objects.update(attempt=2)  # by the next one, after the lease
        return adjust(**wanted)

    monkeypatch.setattr(services, "adjust_points", slow)
    assert outcome(give()) == (409, "in_progress")
    assert (points(), vip.points_entries.count()) == (0, 0)


def test_answers_are_kept_for_thirty_days(vip: Customer) -> None:
    give()
    age(days=29)
    assert tasks.forget_old_answers() == 0
    age(days=31)
    assert tasks.forget_old_answers() == 1
    give()
    assert points() == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_takes_effect(vip: Customer) -> None:
    answers = at_once(lambda _: give(), 16)
    assert points() == 100
    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {outcome(answer)[1] for answer in answers if answer.status_code == 409} <= {"in_progress"}


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_over_at_once_one_takes_effect(died: None) -> None:
    age(seconds=LEASE.total_seconds() + 1)
    before = Customer.objects.get().points_entries.count()
    assert 201 in [answer.status_code for answer in at_once(lambda _: give(), 16)]
    assert (points(), Customer.objects.get().points_entries.count()) == (100, before + 1)
