"""The answers that were given, by the request they answer."""

from django.db import models


class Answer(models.Model):
    """A request's answer; without `status` it is still running, in its `attempt` that began at `started_at`.

    `scope` is a digest of caller, method, path and key; `body_digest` is that of the request's body. `customer_type` is
    what its caller was: who has an account by now repeats what they asked for as a guest, and gets the same answer.
    """

    scope = models.CharField(primary_key=True, max_length=64)
    body_digest = models.CharField(max_length=64)
    customer_type = models.CharField(max_length=20, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.status or 'running'} since {self.started_at:%Y-%m-%d %H:%M:%S}"
