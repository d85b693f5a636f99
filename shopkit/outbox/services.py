"""What a service does with its outbox: puts messages in, and may try them at once."""

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import transaction

from shopkit import database_time, rows, sweeper
from shopkit.outbox import delivery
from shopkit.outbox.models import Message

NOW_SECONDS = 2.0


def put(*, kind: str, payload: Mapping[str, object], key: str | None = None) -> Message:
    """Writes a message in the transaction at hand; after its commit the courier delivers it.

    With a `key`, one that was put before with that kind and key is given back instead, for as long as it is kept.
    """
    _check_in_transaction()
    if key is None:
        message = rows.insert(Message(kind=kind, payload=payload, lease_until=database_time.now()))
    else:
        new = Message(kind=kind, key=key, payload=payload, lease_until=database_time.now())
        message, _new = rows.find_or_insert(new, "kind", "key")
    transaction.on_commit(sweeper.wake)
    return message


def put_claimed(*, kind: str, payload: Mapping[str, object]) -> Message:
    """As `put`, for who tries it with `deliver_now` after the commit; the courier has it once they died.

    Not for what is delivered at most once.
    """
    _check_in_transaction()
    assert not delivery.at_most_once(kind), "once its lease is over, it would be tried again"
    lease_until = database_time.now() + delivery.LEASE
    return rows.insert(Message(kind=kind, payload=payload, lease_until=lease_until, fence=1, attempts=1))


def _check_in_transaction() -> None:
    assert transaction.get_connection().in_atomic_block, "a message belongs into the transaction of what it tells of"


def put_news(*, kind: str, subject: object, payload: Mapping[str, object], after: timedelta = timedelta()) -> None:
    """Has told what has become of `subject` by then: while a message of that kind waits for its first try, it will do.

    For handlers that read the subject when they deliver. The first try is `after` so long, so that what changes step
    by step is told once.
    """
    waiting = {"subject": str(subject), "kind": kind, "state": Message.State.PENDING, "fence": 0}
    # written, so that whoever claims it waits for our commit, and tells of what we changed too
    if rows.update(Message, waiting, attempts=0):
        return
    lease_until = database_time.now() + after
    rows.insert(Message(kind=kind, payload=payload, subject=str(subject), lease_until=lease_until))
    if not after:
        transaction.on_commit(sweeper.wake)


def deliver_now(messages: Iterable[Message]) -> None:
    """Tries messages that were `put_claimed`, in this thread; the courier has those that are not delivered.

    For after their commit, never inside a transaction. None is begun once `NOW_SECONDS` are over; how long one takes
    is its handler's business.
    """
    deadline = time.monotonic() + NOW_SECONDS
    for message in messages:
        if time.monotonic() < deadline:
            delivery.hand_over(message)
        else:
            delivery.give_up(message)
