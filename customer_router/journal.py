"""Carries moves out, step by step, and carries on with what somebody else left unfinished.

Until the customer has left, whatever goes wrong undoes the move; from then on it only goes forward. An outcome that is
not known is asked for: `release` says when it is too late to undo.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from customer_router import clients
from customer_router.models import LEASE, Move
from shopkit.errors import Conflict, ShopError

AT_A_TIME, AT_A_TIME_SECONDS = 50, 5.0
DEADLOCK = 1213  # MySQL's ER_LOCK_DEADLOCK: InnoDB has undone the statement of one of those who wait in a circle
TRIES = 3
Step, Outcome = Move.Step, Move.Outcome
log = structlog.get_logger()


class LeaseLost(Conflict):
    """Somebody else carries on with this move."""

    code, message = "move_in_progress", "This customer is moving just now; try again soon."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


def begin(**fields: Any) -> Move:
    """A move that nobody else carries out; `LeaseLost` when the customer is moving already."""
    try:
        with transaction.atomic():
            return Move.objects.create(busy=fields["customer_id"], **fields)
    except IntegrityError:
        raise LeaseLost from None
    except OperationalError as error:
        raise _lost(error) from None


def _lost(error: OperationalError) -> Exception:
    """Who is chosen to end a deadlock wanted the row that another has, which is what losing it means."""
    return LeaseLost() if _is_deadlock(error) else error


def finish_begun(customer_id: str) -> None:
    """Carries on with the customer's unfinished move, if there is one; `LeaseLost` while somebody else does."""
    move = Move.objects.filter(busy=customer_id).first()
    if move is not None:
        _claim(move)
        _end_in_peace(move)


def _end_in_peace(move: Move) -> None:
    """Carries it out; what it may be undone for concerned those who began it."""
    try:
        carry_out(move)
    except ShopError:
        if not move.outcome:
            raise


def resume_due() -> int:
    """Carries on with the moves whose lease has run out; with how many.

    None is begun once `AT_A_TIME_SECONDS` are over: the other sweeps wait while a service is slow.
    """
    deadline, tried = time.monotonic() + AT_A_TIME_SECONDS, 0
    due = list(Move.objects.filter(outcome="", lease_until__lt=timezone.now()).order_by("lease_until")[:AT_A_TIME])
    for move in due:
        if time.monotonic() > deadline:
            break
        tried += 1
        try:
            _claim(move)
            carry_out(move)
        except ShopError as error:
            log.warning("move unfinished", move=str(move.pk), step=move.step, error=str(error))
    return tried


def carry_out(move: Move) -> Move:
    """Takes a move that we have the lease of to its end.

    Raises what it was undone for, if that happened just now, and what stands in the way where it can't go on yet.
    """
    cause: ShopError | None = None
    while not move.outcome:
        try:
            _undo(move) if move.undoing else _go_on(move)
        except LeaseLost:
            raise
        except ShopError as error:
            if move.undoing or move.step == Step.LEFT:
                _put_off(move, error)
                raise
            cause = error
            _record(move, undoing=True, last_error=str(error)[:300])
    if cause is not None and move.outcome == Outcome.UNDONE:
        raise cause
    return move


def _go_on(move: Move) -> None:
    act, reached = _STEPS[move.step]
    act(move)
    if reached == Step.SETTLED:
        _end(move, Outcome.DONE, step=reached)
    else:
        _record(move, step=reached)
    log.info("move", move=str(move.pk), step=reached, origin=move.origin, target=move.target)


def _copy(move: Move) -> None:
    clients.arrive(move, clients.hold(move))


_STEPS: dict[str, tuple[Callable[[Move], None], str]] = {
    Step.STARTED: (_copy, Step.COPIED),
    Step.COPIED: (clients.leave, Step.LEFT),
    Step.LEFT: (clients.settle, Step.SETTLED),
}


def _undo(move: Move) -> None:
    try:
        clients.release(move)
    except ShopError as error:
        if error.code != "has_left":
            raise
        _record(move, undoing=False, step=Step.LEFT)
        return
    clients.refuse(move)
    _end(move, Outcome.UNDONE)
    log.info("move undone", move=str(move.pk), origin=move.origin, target=move.target, error=move.last_error)


def _claim(move: Move) -> None:
    free = Move.objects.filter(pk=move.pk, fence=move.fence, outcome="", lease_until__lt=timezone.now())
    try:
        ours = free.update(fence=F("fence") + 1, lease_until=timezone.now() + LEASE, attempts=F("attempts") + 1)
    except OperationalError as error:
        raise _lost(error) from None
    if not ours:
        raise LeaseLost
    move.fence += 1  # with the fence unchanged, so was all else


def _record(move: Move, **fields: Any) -> None:
    """Writes what is known now, and holds on to the lease."""
    _write(move, lease_until=timezone.now() + LEASE, **fields)


def _put_off(move: Move, error: ShopError) -> None:
    _write(move, lease_until=timezone.now(), last_error=str(error)[:300])


def _end(move: Move, outcome: str, **fields: Any) -> None:
    _write(move, outcome=outcome, busy=None, ended_at=timezone.now(), **fields)


def _write(move: Move, **fields: Any) -> None:
    ours = Move.objects.filter(pk=move.pk, fence=move.fence)
    if not _written(lambda: ours.update(**fields)):
        raise LeaseLost
    for name, value in fields.items():
        setattr(move, name, value)


def _written(write: Callable[[], int], tries: int = TRIES) -> int:
    """How many rows one statement changed; a deadlock has undone it whole, so it is said again."""
    try:
        return write()
    except OperationalError as error:
        if tries == 1 or not _is_deadlock(error):
            raise
    return _written(write, tries - 1)


def _is_deadlock(error: OperationalError) -> bool:
    return error.args[:1] == (DEADLOCK,)
