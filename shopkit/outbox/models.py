"""The one table of the outbox; each service that has it has its own."""

from django.db import models
from django.utils import timezone


class Message(models.Model):
    """Something to deliver. `lease_until` is when it may next be tried; each claim of it raises `fence`.

    Whatever is written about a claimed message asks for the fence of that claim, so that who was slow changes nothing.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        TAKEN = "taken"  # at most once: nobody takes it again
        DONE = "done"
        LOST = "lost"  # at most once: it was not sent, or may not have been

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=150, null=True)
    subject = models.CharField(max_length=64, null=True)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    lease_until = models.DateTimeField(default=timezone.now)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "outbox"
        indexes = [
            models.Index(fields=["state", "lease_until"], name="outbox_due"),
            models.Index(fields=["subject", "kind"], name="outbox_subject"),
        ]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="outbox_key_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
