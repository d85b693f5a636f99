"""Carries an order's checkout out: reserve → authorise → commit → capture → ship, and back while nothing is captured.

Each step is a call that may be repeated, under a key that was stored before it. What a step came to is written with the
order's status and its event in one transaction, under the fence of the claim, so that who was slow writes nothing. An
outcome that is not known is asked for again; stock stays held until it is.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction

from order_service import steps
from order_service.models import Order, Saga
from order_service.services import GOES_ON, advance
from order_service.steps import Next, Wait
from shopkit import database_time, rows
from shopkit.errors import Conflict, ShopError

LEASE = timedelta(seconds=30)  # longer than a step takes, by the deadlines of its calls, while peers can be reached
AT_A_TIME = 50
LONGEST_WAIT = 30  # seconds between two attempts
Step = Saga.Step
log = structlog.get_logger()


class FenceLost(Exception):
    """Somebody else has claimed this saga."""


def run_due() -> int:
    """Carries on with every saga that is due; with how many."""
    due = due_now()
    for order_id in due:
        run_alone(order_id)
    return len(due)


def due_now() -> list[Any]:
    """Who waited longest first; no more than can be done before those that come meanwhile should have their turn."""
    due = rows.find_due(Saga, {"step": GOES_ON}, "next_at", "lease_until", now=database_time.now(), most=AT_A_TIME)
    return [saga.pk for saga in due]


def run_alone(order_id: Any) -> None:
    """Carries on with this order; the others have nothing to do with what goes wrong with it."""
    try:
        run(order_id)
    except Exception:  # its lease runs out, and it is tried again
        log.exception("saga failed", order=str(order_id))


def run(order_id: Any) -> bool:
    """Carries on with this order as far as it goes now, unless somebody else does; whether it was ours to."""
    saga = claim(order_id)
    if saga is None:
        return False
    with structlog.contextvars.bound_contextvars(order=str(order_id)):
        try:
            while saga.step != Step.DONE and _take(saga):
                pass
        except FenceLost:
            log.warning("saga lost", step=saga.step)
        except Exception as error:  # of the database's, or a mistake of ours: neither waits for the lease to run out
            log.exception("saga failed", step=saga.step)
            with suppress(FenceLost):
                _put_off(saga, Wait(_pause(saga.attempt), error=repr(error)))
    return True


def claim(order_id: Any) -> Saga | None:
    now = database_time.now()
    saga = rows.find(Saga, {"pk": order_id})
    if saga is None or saga.step == Step.DONE or max(saga.next_at, saga.lease_until) > now:
        return None
    # who claimed it since, had it and goes on, or was told that it is cancelled, has written one of these
    as_read = {name: getattr(saga, name) for name in ("pk", "fence", "lease_until", "cancel_asked")}
    saga.fence, saga.lease_until = saga.fence + 1, now + LEASE
    if not rows.update(Saga, as_read, fence=saga.fence, lease_until=saga.lease_until):
        return None
    saga.order = rows.get(Order, {"pk": order_id}, along="lines")
    return saga


def _take(saga: Saga) -> bool:
    """One step; whether there is another to take right away."""
    try:
        came_to = steps.take(saga)
    except ShopError as error:
        came_to = Wait(_pause(saga.attempt), error=f"{error.code}: {error}")
    if isinstance(came_to, Wait):
        _put_off(saga, came_to)
        return False
    _record(saga, came_to)
    return True


def _pause(attempt: int) -> float:
    return float(min(2 ** min(attempt, 10), LONGEST_WAIT)) / 2


def failing_for(attempts: int) -> float:
    """Seconds from the first of so many attempts in a row that failed to the last, at least."""
    return sum(map(_pause, range(attempts - 1)))


def _put_off(saga: Saga, wait: Wait) -> None:
    if wait.error:
        log.warning("step unfinished", step=saga.step, attempt=saga.attempt, error=wait.error)
    later = database_time.now() + timedelta(seconds=wait.seconds)
    attempt = saga.attempt + 1 if wait.error else 0
    woken = rows.find(Saga, {"pk": saga.pk, "next_at": saga.next_at}) is None  # then it is due as it is
    when = {} if woken else {"next_at": later}
    _write(saga, lease_until=database_time.now(), attempt=attempt, last_error=wait.error[:300], **when)


def _record(saga: Saga, came_to: Next) -> None:
    """The outcome of a step."""
    try:
        _write_down(saga, came_to)
    except Conflict:  # there were news of the order since it was claimed; once it has just been read, there are none
        with transaction.atomic():
            rows.read_again(saga.order, lock=True)
            _write_down(saga, came_to)


@transaction.atomic
def _write_down(saga: Saga, came_to: Next) -> None:
    """The saga, the order and its event, together."""
    # the order before the saga, as all who write both have it, or two could wait for each other
    advance(order=saga.order, to=came_to.status, name=saga.step, outcome=came_to.outcome, **came_to.fields)
    lease = database_time.now() if came_to.step == Step.DONE else database_time.now() + LEASE
    _write(saga, step=came_to.step, goal=came_to.goal, attempt=0, last_error="", lease_until=lease)


def _write(saga: Saga, **fields: Any) -> None:
    """Under the fence; with it, whether the order shall be cancelled is known as of this very update.

    So the lease with which it is too late to cancel begins with no cancelling overlooked.
    """
    ours = {"pk": saga.pk, "fence": saga.fence}
    if not rows.update(Saga, {**ours, "cancel_asked": saga.cancel_asked}, **fields):
        saga.cancel_asked = True  # or else it is the fence
        if not rows.update(Saga, ours, **fields):
            raise FenceLost
    for name, value in fields.items():
        setattr(saga, name, value)
