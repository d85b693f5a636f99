"""The journal of customers' moves from one service to another."""

import secrets
import time
import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone

LEASE = timedelta(seconds=15)  # longer than a step can take, by the deadlines of its calls


def leased() -> "models.DateTimeField[object, object]":
    return timezone.now() + LEASE  # type: ignore[return-value]


def new_id() -> uuid.UUID:
    """One that is above those made before, so that a call that was late is known by it (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


class Move(models.Model):
    """One move. `step` is the last that is known to have been done; whoever has the lease carries on from there.

    `busy` is the customer's id until the move ends, so that of two moves of one customer one begins. Each claim raises
    `fence`, and whatever is written asks for the fence of its claim.
    """

    class Step(models.TextChoices):
        STARTED = "started"
        COPIED = "copied"
        LEFT = "left"
        SETTLED = "settled"

    class Outcome(models.TextChoices):
        DONE = "done"
        UNDONE = "undone"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.CharField(max_length=64, db_index=True)
    busy = models.CharField(max_length=64, null=True, unique=True)
    origin = models.CharField(max_length=20)
    target = models.CharField(max_length=20)
    reason = models.CharField(max_length=20)
    registration_id = models.UUIDField(null=True)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.STARTED)
    undoing = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    fence = models.PositiveIntegerField(default=1)
    lease_until = models.DateTimeField(default=leased)
    attempts = models.PositiveIntegerField(default=1)
    last_error = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["outcome", "lease_until"], name="move_due")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.origin} → {self.target}"
