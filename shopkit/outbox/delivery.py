"""How messages are delivered: claimed by a conditional update, handed to their handler, and the outcome written."""

import random
import time
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from shopkit import database_time, rows
from shopkit.errors import ShopError
from shopkit.outbox import metrics
from shopkit.outbox.handlers import AtMostOnce, Handler, NotSent, Undeliverable, handlers
from shopkit.outbox.models import Message

LEASE = timedelta(seconds=30)  # longer than any handler takes, by the deadlines of its calls
AT_A_TIME, AT_A_TIME_SECONDS = 100, 5.0
LONGEST_WAIT = 30  # seconds between two attempts
GIVE_UP = timedelta(days=3)  # at most once: what could not be sent for so long is stale
KEEP = timedelta(days=7)
State = Message.State
log = structlog.get_logger()


def deliver_due() -> int:
    """Tries the messages that are due, who waits longest first; how many were delivered.

    None is begun once `AT_A_TIME_SECONDS` are over: the other sweeps wait while a peer is slow.
    """
    deadline = time.monotonic() + AT_A_TIME_SECONDS
    now = database_time.now()
    waiting = rows.find_due(Message, {"state": State.PENDING}, "lease_until", now=now, most=AT_A_TIME)
    return sum(attempt(message) for message in waiting if time.monotonic() < deadline)


def at_most_once(kind: str) -> bool:
    """Whether messages of this kind are taken for good before they are tried."""
    return isinstance(handlers().get(kind), AtMostOnce)


def attempt(message: Message) -> bool:
    """Tries a message as it was read, unless another has been at it since, or it waits; whether it was delivered."""
    return _claim(message) and hand_over(message)


def _claim(message: Message) -> bool:
    now = database_time.now()
    if message.lease_until > now:
        return False
    as_read = {"pk": message.pk, "fence": message.fence, "state": State.PENDING, "lease_until": message.lease_until}
    state = State.TAKEN if at_most_once(message.kind) else State.PENDING
    message.fence, message.attempts = message.fence + 1, message.attempts + 1
    ours = {"fence": message.fence, "attempts": message.attempts, "state": state, "lease_until": now + LEASE}
    return rows.update(Message, as_read, **ours) > 0


def give_up(message: Message) -> None:
    """Leaves one that was claimed, and not tried, to whoever is next."""
    _write(message, lease_until=database_time.now(), attempts=0)


def hand_over(message: Message) -> bool:
    """Tries a message that is claimed; whether it was delivered."""
    with structlog.contextvars.bound_contextvars(message=message.pk, kind=message.kind):
        return _try(message, handlers().get(message.kind))


def _try(message: Message, handler: Handler | None) -> bool:
    try:
        if handler is None:
            raise NotSent(f"Nobody here delivers {message.kind}.")
        handler(message)
    except Exception as error:  # whatever a handler raises, its message must not be forgotten
        _failed(message, error, final=isinstance(handler, AtMostOnce) and _is_final(message, error))
        return False
    _end(message, State.DONE, empty=isinstance(handler, AtMostOnce))
    return True


def _is_final(message: Message, error: Exception) -> bool:
    return not isinstance(error, NotSent) or message.created_at < timezone.now() - GIVE_UP


def _failed(message: Message, error: Exception, *, final: bool) -> None:
    """Keeps and logs the error: of one that is not ours only the name, since its text may quote an address."""
    text = str(error) if isinstance(error, ShopError) else type(error).__name__
    if final:
        certain = isinstance(error, (NotSent, Undeliverable))
        log.error("message not sent" if certain else "message may not have been sent", error=text)
        _end(message, State.LOST, empty=True, last_error=text[:300])
        return
    log.warning("message not delivered", error=text, attempts=message.attempts, exc_info=_is_a_bug(error))
    next_time = database_time.now() + wait(message.attempts)
    _write(message, state=State.PENDING, lease_until=next_time, last_error=text[:300])


def _is_a_bug(error: Exception) -> bool:
    return not isinstance(error, ShopError)


def wait(attempts: int) -> timedelta:
    """About 1, 2, 4 … and at most 30 seconds; not quite the same for each, so that they don't all come at once."""
    return timedelta(seconds=min(2 ** min(attempts - 1, 10), LONGEST_WAIT) * random.uniform(0.8, 1.0))  # noqa: S311


def _write(message: Message, **fields: object) -> None:
    """Under the fence of this claim: nothing, once another has claimed it."""
    rows.update(Message, {"pk": message.pk, "fence": message.fence}, **fields)


def _end(message: Message, state: str, *, empty: bool, **fields: object) -> None:
    """Mail holds addresses and tokens, which nobody needs once it is sent."""
    if empty:
        fields["payload"] = {}
    _write(message, state=state, done_at=timezone.now(), **fields)


def look_after() -> None:
    """The slow sweep: names what a death in between has lost, and deletes what ended a week ago."""
    now = database_time.now()
    _lose_taken(now)
    Message.objects.filter(state__in=(State.DONE, State.LOST), done_at__lt=now - KEEP).delete()


def measure() -> None:
    """For this process's metrics."""
    now = timezone.now()
    pending = Message.objects.filter(state=State.PENDING)
    oldest = pending.order_by("created_at").values_list("created_at", flat=True).first()
    metrics.measure(pending.count(), (now - oldest).total_seconds() if oldest else 0)


def _lose_taken(now: datetime) -> None:
    for message in Message.objects.filter(state=State.TAKEN, lease_until__lt=now)[:AT_A_TIME]:
        taken = {"pk": message.pk, "fence": message.fence, "state": State.TAKEN}
        lost = {"state": State.LOST, "last_error": "The process ended while sending."}
        if rows.update(Message, taken, done_at=now, payload={}, **lost):
            log.error("message may not have been sent", message=message.pk, kind=message.kind)
