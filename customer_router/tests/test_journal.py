"""Whatever fails, and wherever the router dies: a move ends, and its customer is in one place."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from customer_router import journal
from customer_router.models import Move, new_id
from customer_router.tests.peers import Fake, Killed, Peers
from shopkit.customers.testing.stories import STORIES
from shopkit.errors import ShopError
from shopkit.testing import at_once

pytestmark = pytest.mark.django_db
FORWARD, BACK = ("hold", "arrive", "leave", "settle"), ("release", "refuse")
WRONG = ("refused", "unavailable", "timeout", "nonsense", "lost")
Step, Outcome = Move.Step, Move.Outcome


def begin(customer_id: str = "c1") -> Move:
    return journal.begin(customer_id=customer_id, origin="registered", target="vip", reason="staff")


def carry_out() -> str:
    """A new move of c1; its error's code, or nothing."""
    try:
        journal.carry_out(begin())
    except ShopError as error:
        return error.code
    return ""


def pass_lease() -> None:
    Move.objects.filter(outcome="").update(lease_until=timezone.now() - timedelta(seconds=1))


def ended(peers: Peers) -> Move:
    """The one move, which has ended, and left nothing undone."""
    move = Move.objects.get()
    place, step = ("vip", Step.SETTLED) if move.outcome == Outcome.DONE else ("registered", move.step)
    assert (peers.places, move.step, peers.at_rest) == ([place], step, True)
    assert move.outcome
    assert move.busy is None
    assert move.ended_at
    return move


@pytest.mark.parametrize("story", STORIES)
def test_who_stands_for_the_services_answers_as_they_do(story: str) -> None:
    fake = Fake(known=True, here=True)
    for step, move, status, code in STORIES[story]:
        answered, body = getattr(fake, step)(str(move))
        assert (answered, body.get("code", "")) == (status, code), (step, move)


def test_a_move_goes_from_step_to_step(three: Peers) -> None:
    assert carry_out() == ""
    assert three.calls == ["hold", "arrive", "leave", "settle"]
    assert ended(three).outcome == Outcome.DONE


def test_ids_of_moves_rise() -> None:
    ids = []
    while len(ids) < 5:
        if (made := new_id()) and (not ids or made.int >> 80 > ids[-1].int >> 80):
            ids.append(made)
    assert all(before < after for before, after in pairwise(ids))
    assert {each.version for each in ids} == {7}
    assert {each.variant for each in ids} == {uuid.RFC_4122}


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("step", ["hold", "arrive", "leave"])
def test_what_fails_before_the_customer_has_left_is_undone(three: Peers, step: str, fault: str) -> None:
    three.faults = {step: [fault]}
    code = carry_out()
    if (step, fault) == ("leave", "lost"):  # they had left, as `release` finds out
        assert (code, ended(three).outcome) == ("", Outcome.DONE)
        return
    assert code == {"refused": "email_taken", "timeout": "gateway_timeout", "nonsense": "bad_gateway"}.get(
        fault, "unavailable"
    )
    assert ended(three).outcome == Outcome.UNDONE
    assert three.calls[-2:] == ["release", "refuse"]
    assert Move.objects.get().last_error


@pytest.mark.parametrize("fault", WRONG)
def test_what_fails_after_it_is_tried_again_until_it_is_done(three: Peers, fault: str) -> None:
    three.faults = {"settle": [fault, fault]}
    assert carry_out() != ""
    assert not Move.objects.get().outcome
    for _ in range(2):
        assert journal.resume_due() == 1
    assert ended(three).outcome == Outcome.DONE
    assert Move.objects.get().attempts == 3


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("step", BACK)
def test_an_undoing_that_fails_is_put_off_and_finished_later(three: Peers, step: str, fault: str) -> None:
    three.faults = {"arrive": ["refused"], step: [fault, fault]}
    assert carry_out() != ""
    move = Move.objects.get()
    assert (move.undoing, move.outcome, move.busy) == (True, "", "c1")
    for _ in range(2):
        assert journal.resume_due() == 1
    assert ended(three).outcome == Outcome.UNDONE


def test_the_unknown_outcome_of_leaving_stays_unknown_until_somebody_can_say(three: Peers) -> None:
    three.faults = {"leave": ["lost"], "release": ["timeout"]}
    assert carry_out() == "gateway_timeout"
    assert three.places == []  # they have left, and have not been seen where they go
    journal.resume_due()
    assert ended(three).outcome == Outcome.DONE


@pytest.mark.parametrize("moment", ["killed before", "killed after"])
@pytest.mark.parametrize("step", FORWARD)
def test_after_a_death_at_any_step_the_move_is_carried_on_with(three: Peers, step: str, moment: str) -> None:
    three.faults = {step: [moment]}
    with pytest.raises(Killed):
        carry_out()
    assert len(three.places) <= 1
    assert journal.resume_due() == 0  # the dead one's lease lasts
    pass_lease()
    assert journal.resume_due() == 1
    assert ended(three).outcome == Outcome.DONE


@pytest.mark.parametrize("moment", ["killed before", "killed after"])
@pytest.mark.parametrize("step", BACK)
@pytest.mark.parametrize("cause", ["arrive", "leave"])
def test_after_a_death_while_undoing_it_is_undone(three: Peers, cause: str, step: str, moment: str) -> None:
    three.faults = {cause: ["unavailable"], step: [moment]}
    with pytest.raises(Killed):
        carry_out()
    pass_lease()
    journal.resume_due()
    assert ended(three).outcome == Outcome.UNDONE


@pytest.mark.parametrize("write", range(4))
def test_after_a_death_before_any_record_the_move_ends(
    three: Peers, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    writes: list[object] = []
    earnest = journal._write

    def deadly(move: Move, **fields: object) -> None:
        writes.append(fields)
        if len(writes) == write:
            raise Killed
        earnest(move, **fields)

    monkeypatch.setattr(journal, "_write", deadly)
    if write:
        with pytest.raises(Killed):
            carry_out()
        pass_lease()
        journal.resume_due()
    else:
        carry_out()
    assert ended(three).outcome == Outcome.DONE


@pytest.mark.parametrize("step", [*FORWARD, *BACK])
def test_who_lost_the_lease_meanwhile_does_no_more(three: Peers, step: str) -> None:
    if step in BACK:
        three.faults = {"arrive": ["refused"]}
    three.during[step] = lambda: Move.objects.update(fence=F("fence") + 1)
    assert carry_out() == "move_in_progress"
    steps = ["hold", "arrive", *(BACK if step in BACK else FORWARD[2:])]
    first_of_two = step in ("hold", "release")  # each is one step to the journal together with the next
    assert three.calls == steps[: steps.index(step) + 1 + first_of_two]
    pass_lease()
    journal.resume_due()
    assert ended(three).outcome == (Outcome.UNDONE if step in BACK else Outcome.DONE)


@pytest.mark.parametrize("step", FORWARD)
def test_somebody_slow_whose_move_another_finished_changes_nothing(three: Peers, step: str) -> None:
    def another_finishes_it() -> None:
        pass_lease()
        journal.resume_due()

    three.during[step] = another_finishes_it
    assert carry_out() == "move_in_progress"
    assert ended(three).outcome == Outcome.DONE


@pytest.mark.parametrize("step", ["hold", "arrive", "leave"])
def test_somebody_slow_whose_move_another_undid_changes_nothing(three: Peers, step: str) -> None:
    def another_undoes_it() -> None:
        pass_lease()
        Move.objects.update(undoing=True)
        journal.resume_due()

    three.during[step] = another_undoes_it
    assert carry_out() == "move_in_progress"
    assert ended(three).outcome == Outcome.UNDONE


def test_a_move_that_is_stuck_keeps_no_other_from_going_on(three: Peers) -> None:
    moves = begin("c1"), begin("c2")
    pass_lease()
    three.faults = {"release": ["timeout"], "hold": ["timeout"]}
    assert journal.resume_due() == 2
    for move in moves:
        move.refresh_from_db()
    assert sorted(bool(move.outcome) for move in moves) == [False, True]  # whichever was taken up first


def test_while_services_are_slow_no_more_moves_are_begun_with(three: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    begin()
    pass_lease()
    monkeypatch.setattr(journal, "AT_A_TIME_SECONDS", -1)
    assert (journal.resume_due(), three.calls) == (0, [])
    monkeypatch.setattr(journal, "AT_A_TIME_SECONDS", 5)
    assert journal.resume_due() == 1


def test_who_asks_for_a_customer_whose_move_is_unfinished_finishes_it(three: Peers) -> None:
    three.faults = {"settle": ["unavailable"]}
    carry_out()
    journal.finish_begun("c1")
    assert ended(three).outcome == Outcome.DONE


def test_what_an_earlier_move_is_undone_for_does_not_concern_who_finishes_it(three: Peers) -> None:
    three.faults = {"arrive": ["killed before", "refused"]}
    with pytest.raises(Killed):
        carry_out()
    pass_lease()
    journal.finish_begun("c1")
    assert ended(three).outcome == Outcome.UNDONE


def test_while_somebody_carries_a_move_out_it_is_nobody_elses(three: Peers) -> None:
    begin()
    with pytest.raises(journal.LeaseLost) as refused:
        journal.finish_begun("c1")
    assert (refused.value.status, refused.value.code) == (409, "move_in_progress")
    assert journal.resume_due() == 0


@pytest.mark.django_db(transaction=True)
def test_of_moves_of_a_customer_that_begin_at_once_one_begins() -> None:
    def act(_number: int) -> str:
        try:
            return str(begin().pk)
        except journal.LeaseLost:
            return "busy"

    assert sorted(map(len, at_once(act, 8))) == [4] * 7 + [36]
    assert Move.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_those_who_carry_on_at_once_one_does(three: Peers) -> None:
    begin()
    pass_lease()

    def act(number: int) -> str:
        resume: Callable[[], object] = journal.resume_due if number % 2 else lambda: journal.finish_begun("c1")
        try:
            resume()
        except journal.LeaseLost:
            return "busy"
        return ""

    at_once(act, 8)
    assert three.calls == ["hold", "arrive", "leave", "settle"]
    assert ended(three).fence == 2


@pytest.fixture
def deadlocks() -> Iterator[Callable[[str], None]]:
    """Has the next statement that begins with these words end as MySQL ends one of those who wait in a circle."""
    wanted: list[str] = []

    def ending(execute: Any, sql: str, *more: Any) -> Any:
        if wanted and sql.replace('"', "`").startswith(wanted[0]):
            wanted.pop()
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, *more)

    with connection.execute_wrapper(ending):
        yield wanted.append
    assert wanted == []  # or nothing was tried here


@pytest.mark.django_db(transaction=True)
def test_who_is_chosen_to_end_a_deadlock_has_lost_the_move(three: Peers, deadlocks: Callable[[str], None]) -> None:
    deadlocks("INSERT INTO `customer_router_move`")
    with pytest.raises(journal.LeaseLost):
        begin()
    begin()
    pass_lease()
    deadlocks("UPDATE `customer_router_move` SET `fence`")
    with pytest.raises(journal.LeaseLost):
        journal.finish_begun("c1")


@pytest.mark.django_db(transaction=True)
def test_what_a_deadlock_undid_of_a_move_is_written_again(three: Peers, deadlocks: Callable[[str], None]) -> None:
    begin()
    pass_lease()
    deadlocks("UPDATE `customer_router_move` SET `lease_until`")
    journal.finish_begun("c1")
    assert ended(three).outcome == "done"


def test_the_journal_holds_nothing_about_who_the_customer_is(three: Peers) -> None:
    three.faults = {"arrive": ["refused"]}
    carry_out()
    kept = Move.objects.values().get()
    assert kept["customer_id"] == "c1"
    assert kept["last_error"] == "No."
    allowed = {"id", "customer_id", "busy", "origin", "target", "reason", "registration_id", "step", "undoing"}
    allowed |= {"outcome", "fence", "lease_until", "attempts", "last_error", "started_at", "ended_at"}
    assert set(kept) == allowed
