"""A checkout whatever fails on its way: calls, processes, the database or a clock, it ends right, and once."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from order_service import saga, services, tasks
from order_service.models import Order, OrderEvent, Saga
from order_service.tests.checkout import check, finish, later
from order_service.tests.conftest import LAPTOP, LINE, Place
from order_service.tests.world import UNITS, Fault, Killed, World
from shopkit import database_time
from shopkit.outbox.models import Message
from shopkit.testing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


PATHS = {
    "paid": (("reserve", "authorise", "commit", "capture", "shipments"), "fulfilling"),
    "declined": (("reserve", "authorise", "void", "release", "restock"), "payment_failed"),
    "taken and refused": (
        ("reserve", "authorise", "commit", "capture", "void", "payments", "refunds", "release", "restock"),
        "payment_failed",
    ),
}
"""How a checkout goes, by what its payment comes to: the calls it makes, and where its order is then."""
STEPS = {
    "paid": ("reserve", "authorise", "commit", "capture", "ship"),
    "declined": ("reserve", "authorise", "undo_payment", "undo_stock"),
    "taken and refused": ("reserve", "authorise", "commit", "capture", "undo_payment", "undo_stock"),
}
"""The steps it writes down."""
GOODS = {"one type": (LINE,), "two types": (LINE, LAPTOP)}
OF_EACH_TYPE = ("reserve", "commit", "release", "restock")


def calls_of(path: str, goods: str) -> list[str]:
    """In turn; what a type's service is asked, each is."""
    types = len(GOODS[goods])
    return [call for each in PATHS[path][0] for call in [each] * (types if each in OF_EACH_TYPE else 1)]


CALLS = [
    pytest.param(path, goods, number, id=f"{path}, {goods}, {number}: {call}")
    for path in PATHS
    for goods in GOODS
    for number, call in enumerate(calls_of(path, goods))
]


def goes(world: World, path: str) -> None:
    world.card = "failed" if path == "declined" else "authorised"
    if path == "taken and refused":
        take = world._capture
        world._capture = lambda payment, body: take(payment, body) or "refused"  # type: ignore[method-assign]


@pytest.mark.parametrize("goods", GOODS)
@pytest.mark.parametrize("path", PATHS)
def test_a_checkout_makes_these_calls_and_writes_these_steps_down(
    world: World, place: Place, path: str, goods: str
) -> None:
    goes(world, path)
    order = place(*GOODS[goods])
    placing = len(world.calls)
    finish(order)
    made = world.calls[placing:]
    assert len(made) == len(calls_of(path, goods))
    assert all(call in url for call, url in zip(calls_of(path, goods), made, strict=True))
    assert tuple(event.name for event in order.events.all()) == ("placed", *STEPS[path])


@pytest.mark.parametrize("kind", ["killed", "lost", "unavailable"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("path", "goods", "number"), CALLS)
def test_a_checkout_ends_right_whatever_happens_to_any_one_call(
    world: World, place: Place, path: str, goods: str, number: int, when: str, kind: str
) -> None:
    goes(world, path)
    order = place(*GOODS[goods])
    world.fault = fault = Fault(len(world.calls) + number, when, kind)
    order = finish(order)
    assert fault.struck
    assert calls_of(path, goods)[number] in world.calls[fault.call]
    assert order.status == PATHS[path][1]
    check(world, order)


def test_where_one_type_is_sold_out_the_other_is_free_again(world: World, place: Place) -> None:
    world.available["laptop_1"] = 0
    order = finish(place(LINE, LAPTOP))
    assert (order.status, world.holds, world.available["book_1"]) == ("cancelled", {}, UNITS)


@pytest.mark.parametrize("error", [Killed(), OperationalError("server closed the connection")], ids=["killed", "error"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("path", "step"), [(path, step) for path, steps in STEPS.items() for step in steps])
def test_a_checkout_ends_right_whatever_happens_as_what_came_of_any_one_step_is_written_down(
    world: World,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    step: str,
    when: str,
    error: BaseException,
) -> None:
    goes(world, path)
    order, struck, write = place(), [], saga._write_down

    def failing(claimed: Saga, came_to: saga.Next) -> None:
        strikes = claimed.step == step and not struck
        if not strikes or when == "after":
            write(claimed, came_to)
        if strikes:
            struck.append(step)
            raise error

    monkeypatch.setattr(saga, "_write_down", failing)
    order = finish(order)
    assert struck == [step]
    assert order.status == PATHS[path][1]
    check(world, order)


def test_a_checkout_that_is_slow_keeps_no_other_waiting(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, done, all_others = [place() for _ in range(3 * tasks.AT_ONCE)], [], threading.Event()

    def run(order_id: uuid.UUID) -> None:
        if order_id == orders[0].pk:
            assert all_others.wait(10)
        done.append(order_id)
        if len(done) == len(orders) - 1:
            all_others.set()

    monkeypatch.setattr(saga, "run_alone", run)
    tasks.carry_on()
    assert len(done) == len(set(done)) == len(orders)
    assert done[-1] == orders[0].pk


def test_one_saga_that_fails_is_no_reason_for_the_others_to_wait(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = place(), place()
    claim = saga.claim
    broken = lambda order_id: 1 / 0 if order_id == first.pk else claim(order_id)  # noqa: E731
    monkeypatch.setattr(saga, "claim", broken)
    saga.run_due()
    second.refresh_from_db()
    assert second.status == "fulfilling"


def test_who_lost_the_claim_writes_nothing(world: World, place: Place) -> None:
    order = place()
    slow = saga.claim(order.pk)
    assert slow
    later()
    finish(order)
    before = list(OrderEvent.objects.values())
    with pytest.raises(saga.FenceLost):
        saga._record(slow, saga.Next("authorise", "reserved"))
    assert list(OrderEvent.objects.values()) == before


def test_who_lost_the_claim_and_fails_leaves_the_saga_as_it_is(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place()

    def overtaken(claimed: Saga) -> None:
        Saga.objects.filter(pk=claimed.pk).update(fence=claimed.fence + 1)
        raise RuntimeError

    monkeypatch.setattr(saga.steps, "take", overtaken)
    assert saga.run(order.pk)
    assert Saga.objects.get(pk=order.pk).last_error == ""


def test_a_step_is_written_down_with_what_happened_to_its_order_meanwhile(world: World, place: Place) -> None:
    order = place()
    claimed = saga.claim(order.pk)
    assert claimed
    services.move(order=order, to="cancelled", name="by somebody else")
    saga._record(claimed, saga.Next("authorise", "reserved"))
    events = [(event.name, event.from_status, event.to_status) for event in order.events.all()]
    assert events[1:] == [("by somebody else", "pending", "cancelled"), ("reserve", "cancelled", "cancelled")]


def test_of_many_at_once_one_carries_an_order_out(world: World, place: Place) -> None:
    order = place()
    at_once(lambda _turn: saga.run(order.pk), 16)
    order.refresh_from_db()
    assert order.status == "fulfilling"
    check(world, order)


def test_what_the_database_refuses_once_is_written_soon_after_and_not_when_the_lease_is_over(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, advance = place(), saga.advance
    failures = [OperationalError("deadlock detected")]

    def failing(**given: Any) -> None:
        if failures:
            raise failures.pop()
        advance(**given)

    monkeypatch.setattr(saga, "advance", failing)
    saga.run_due()
    waiting = Saga.objects.get(pk=order.pk)
    assert waiting.lease_until <= timezone.now()
    assert waiting.next_at <= timezone.now() + timedelta(seconds=1)
    finish(order)
    check(world, order)


def test_news_of_the_payment_and_a_step_at_the_same_moment_do_not_wait_for_each_other_in_a_circle(
    world: World, place: Place
) -> None:
    orders = [place() for _ in range(6)]

    def news(order: Order) -> None:
        for _ in range(20):
            services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="authorised", refunded=0)

    at_once(lambda turn: (saga.run if turn % 2 else news)(orders[turn // 2]), 2 * len(orders))
    assert [each.last_error for each in Saga.objects.all()] == [""] * len(orders)


def test_a_hold_that_ran_out_is_taken_again(world: World, place: Place) -> None:
    order = place()
    world.fault = Fault(len(world.calls) + 2, "before", "killed")
    with pytest.raises(Killed):
        saga.run_due()
    world.available.update(world.holds.pop(str(order.pk)))
    order = finish(order)
    assert order.status == "fulfilling"
    check(world, order)


@contextmanager
def clock_ahead(seconds: int) -> Iterator[None]:
    """A process whose machine's clock is that far ahead of the database's."""
    right = timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_time, "_known", (timedelta(), 0.0))
        patch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds))
        yield


@pytest.mark.parametrize("seconds", [300, -300])
def test_who_has_a_clock_that_is_minutes_off_keeps_nobody_waiting(world: World, place: Place, seconds: int) -> None:
    with clock_ahead(seconds):
        order = place()
    world.fault = Fault(len(world.calls), "before", "unavailable")
    with clock_ahead(-seconds):
        assert saga.run_due() == 1
    waiting = Saga.objects.get(pk=order.pk)
    assert abs(waiting.next_at - timezone.now()) < timedelta(seconds=60)
    assert abs(waiting.pay_until - timezone.now() - services.PAY_WITHIN) < timedelta(seconds=60)
    assert not Message.objects.filter(lease_until__gt=timezone.now() + timedelta(seconds=60)).exists()


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_lease_counts_for_who_has_a_clock_that_is_minutes_off(world: World, place: Place, seconds: int) -> None:
    order = place()
    with clock_ahead(seconds):
        assert saga.claim(order.pk)
    with clock_ahead(-seconds):
        assert saga.claim(order.pk) is None
