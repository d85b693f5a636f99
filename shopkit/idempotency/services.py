"""Who may run a request, and what it answered: every step is one conditional write, so that of two one wins."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from shopkit import database_time, rows
from shopkit.auth import OF_GUESTS, Identity
from shopkit.errors import Conflict, ShopError
from shopkit.idempotency.models import Answer

LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)


def in_progress() -> Conflict:
    message = "The first request with this key is still running; ask again for its answer."
    return Conflict(message, code="in_progress", headers={"Retry-After": "1"})


def claim(*, scope: str, body_digest: str, caller: Identity) -> Answer:
    """The answer there is (`status` set), else one that the caller, and nobody else, is to give now.

    `ShopError("idempotency_key_reused")`, 422, when the key came with another body, or to a guest's token from who has
    an account by now; `Conflict("in_progress")` while another runs. Who has not answered within `LEASE` counts as dead,
    and the next one runs in their place.
    """
    kind = caller.customer_type
    try:
        new = Answer(scope=scope, body_digest=body_digest, customer_type=kind, started_at=database_time.now())
        answer, made = rows.find_or_insert(new, "scope")
    except IntegrityError:  # there when we wrote, gone when we read
        raise in_progress() from None
    of_account = caller.has_guest_token and answer.customer_type not in OF_GUESTS
    if answer.body_digest != body_digest or of_account:
        message = "This Idempotency-Key was used for another request; take a new key for a new one."
        raise ShopError(message, status=422, code="idempotency_key_reused")
    return answer if made or answer.status else _take_over(answer, kind)


def _take_over(dead: Answer, kind: str) -> Answer:
    now = database_time.now()
    if dead.started_at >= now - LEASE:  # each attempt writes it once, and with its number
        raise in_progress()
    if not rows.update(Answer, _running(dead), attempt=dead.attempt + 1, customer_type=kind, started_at=now):
        raise in_progress()
    dead.attempt += 1
    return dead


def _running(answer: Answer) -> dict[str, Any]:
    """What holds of it while this attempt runs."""
    return {"scope": answer.scope, "attempt": answer.attempt, "status": None}


def keep(*, answer: Answer, status: int, headers: Mapping[str, str], body: str) -> bool:
    """Keeps what was answered; False when another has taken over meanwhile."""
    return rows.update(Answer, _running(answer), status=status, headers=dict(headers), body=body) > 0


def release(*, answer: Answer) -> None:
    """Forgets a request that came to nothing, so that the next one with its key runs at once."""
    Answer.objects.filter(**_running(answer)).delete()


def sweep(*, now: datetime) -> int:
    """Forgets answers older than `KEPT`; how many."""
    return Answer.objects.filter(started_at__lt=now - KEPT).delete()[0]
