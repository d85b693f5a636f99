"""Rows of any model, not written yet; the rows that they belong to are."""

import copy
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db import connection, models

Field = Any
Model = type[models.Model]
TEXT = "%s 100% 'é' \"漢\" \\ %(a)s 🦉"
JSON: dict[str, Any] = {"é": [None, True, 0.25, 2**60, "", {"%s": TEXT}], "empty": {}, "null": None}
LATER = datetime(2031, 12, 31, 23, 59, 59, 987654, timezone(timedelta(hours=5, minutes=30)))
VALUES: dict[str, Callable[[int], Any]] = {
    "CharField": lambda number: f"{number} {TEXT}",
    "TextField": lambda number: f"{number} {TEXT}\n{TEXT * 99}",
    "UUIDField": lambda number: uuid.UUID(int=2**127 - number),
    "BigIntegerField": lambda number: 2**62 + number,
    "IntegerField": lambda number: -(2**31) + number,
    "PositiveIntegerField": lambda number: 2**31 - 1 - number,
    "PositiveSmallIntegerField": lambda number: 2**15 - 1 - number,
    "DateTimeField": lambda number: LATER + timedelta(minutes=number),
    "DateField": lambda number: date(2024, 2, 29) + timedelta(days=number),
    "JSONField": lambda number: {**JSON, "number": number},
}

MODELS = [model for model in apps.get_models() if not model.__module__.startswith("django.")]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


class Samples:
    """What the parts of `RowTests` share."""

    values: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    numbers = count(10)  # no two rows share what may be there once only

    def full(self, model: Model) -> Any:
        """A row with a value of its own in each field."""
        return self._made(model, lambda field: not isinstance(field, models.AutoField))

    def bare(self, model: Model) -> Any:
        """A row with what it can't be without, and the defaults."""
        return self._made(model, lambda field: not (field.has_default() or field.null or field.blank))

    def both(self, model: Model) -> list[Any]:
        return [self.full(model), self.bare(model)]

    def stored(self, model: Model) -> list[Any]:
        """Some rows, written by the ORM, and as it reads them."""
        made = [self.full(model), self.bare(model), self.full(model)]
        return [read(written(row)) for row in made]

    def _made(self, model: Model, wanted: Callable[[Field], bool]) -> Any:
        number, given = next(self.numbers), self.values.get(model.__name__, {})
        fields = [field for field in model._meta.concrete_fields if field.name in given or wanted(field)]
        return model(**{field.attname: self._value(field, number, given) for field in fields})

    def _value(self, field: Field, number: int, given: Mapping[str, Any]) -> Any:
        if field.name in given:
            return given[field.name]
        if field.remote_field:
            return written(self.bare(field.related_model)).pk
        if isinstance(field, models.BooleanField):
            return not field.get_default()
        value = VALUES["CharField" if isinstance(field, models.CharField) else field.get_internal_type()](number)
        return value[: field.max_length] if isinstance(field, models.CharField) else value


def written(row: models.Model) -> Any:
    """By the ORM, without what a model's own `save()` does beside."""
    models.Model.save(row, force_insert=True)
    return row


def twin(row: models.Model) -> Any:
    return copy.copy(row)


def read(row: models.Model) -> Any:
    """The row as the ORM reads it."""
    return type(row)._base_manager.get(pk=row.pk)


def told(row: models.Model, *, without: str = "") -> dict[str, str]:
    """Each field's value, and of what type it is."""
    names = [field.attname for field in row._meta.concrete_fields if field.attname != without]
    return {name: repr(getattr(row, name)) for name in names}


def raw(model: Model, *, without: str = "") -> list[tuple[Any, ...]]:
    """All rows of the table as the driver gives them, with text told from numbers, by key."""
    name = connection.ops.quote_name
    fields: list[Field] = [field for field in model._meta.concrete_fields if field.attname != without]
    key: Field = model._meta.pk
    columns = ", ".join(name(field.column) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {name(model._meta.db_table)} ORDER BY {name(key.column)}")  # noqa: S608
        return list(cursor.fetchall())


def auto_key(model: Model) -> str:
    """The name of the key if the database makes it, else nothing."""
    key: Field = model._meta.pk
    return str(key.attname) if isinstance(key, models.AutoField) else ""
