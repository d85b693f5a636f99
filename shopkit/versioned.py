"""Rows with a version: a change is one conditional update of the row as it was read; of two at once, one loses."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from shopkit import rows
from shopkit.errors import Conflict, PreconditionFailed

Transitions = Mapping[str, Collection[str]]
"""A status → those that may follow it."""


class Versioned(models.Model):
    """A row with a random id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Tracked(Versioned):
    """A row with a status too, which moves along a table of transitions."""

    status: Any

    class Meta:
        abstract = True


def check_version(row: Versioned, version: int | None) -> None:
    """`PreconditionFailed` when a version is asked for that is not the row's."""
    if version is not None and version != row.version:
        raise PreconditionFailed


def check_transition(row: Tracked, to: str, table: Transitions) -> None:
    """`Conflict("illegal_transition")` for a step that the table does not have."""
    if to not in table[row.status]:
        message = f"This {row._meta.verbose_name} does not go from {row.status} to {to}."
        raise Conflict(message, code="illegal_transition")


def change(row: Versioned, **fields: Any) -> None:
    """Sets fields, here and in the store; `Conflict` when the row changed since it was read."""
    as_read = {"pk": row.pk, "version": row.version}
    fields |= {"version": row.version + 1, "updated_at": timezone.now()}
    if not rows.update(type(row), as_read, **fields):
        raise Conflict(f"This {row._meta.verbose_name} has just changed; read it again.")
    for name, value in fields.items():
        setattr(row, name, value)


@transaction.atomic
def delete(row: Tracked, deletable: Collection[str]) -> None:
    """Forgets a row while it has one of these statuses; else `Conflict("not_deletable")`."""
    here: models.QuerySet[Any] = type(row)._default_manager.filter(pk=row.pk)
    # raising the version takes the row first, so that nobody moves it on meanwhile
    if not here.filter(status__in=deletable).update(version=F("version") + 1):
        raise Conflict(f"This {row._meta.verbose_name} is {row.status}, so it is kept.", code="not_deletable")
    here.delete()
