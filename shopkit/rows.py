"""Rows read and written by statements that are made once: Django makes each anew, which takes ten times what it does.

For what every order does; whatever else is asked goes through the ORM, and gives the same. What `where` names, at
least one thing, a row must have: a value, `None` for none, or a tuple for one of these. Values are plain: no expression
such as `F`, and no JSON in a condition; a row stands for its id. Neither `save()` nor a signal of the model's runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, models, transaction
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)
Field = Any  # a `models.Field`, whose backend-facing half has no types
Where = Mapping[str, Any]
Shape = tuple[tuple[str, int | None], ...]
"""What a condition asks of which fields, without the values: how many there may be, or None for no value at all."""


def find(model: type[M], where: Where, *, along: str | None = None, lock: bool = False) -> M | None:
    """The first such row, with those that belong to it as `along`; kept for as long as the transaction if `lock`ed."""
    found = find_all(model, where, lock=lock)
    if found and along:
        field: Field = model._meta.get_field(along).remote_field
        put_along(found[0], along, find_all(field.model, {field.attname: found[0].pk}))
    return found[0] if found else None


def get(model: type[M], where: Where, *, along: str | None = None, lock: bool = False) -> M:
    """As `find`; the model's `DoesNotExist` when there is none."""
    found = find(model, where, along=along, lock=lock)
    if found is None:
        raise model.DoesNotExist  # type: ignore[attr-defined]
    return found


def find_all(model: type[M], where: Where, *, lock: bool = False) -> list[M]:
    """All such rows, in the order of their `Meta`."""
    connection = connections[DEFAULT_DB_ALIAS]
    if lock and not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A row is kept for as long as a transaction; there is none.")
    return _selected(model, _select_all(model, _shape(where), lock), _asked(model, where, connection), connection)


def find_due(model: type[M], where: Where, *times: str, now: datetime, most: int) -> list[M]:
    """So many such rows at most of which each of these times has come; by the first, who waits longest comes first."""
    select, connection = _select_due(model, _shape(where), times, most), connections[DEFAULT_DB_ALIAS]
    asked = _asked(model, where, connection) + _asked(model, dict.fromkeys(times, now), connection)
    return _selected(model, select, asked, connection)


def _selected(model: type[M], select: "_Select", asked: list[Any], connection: Any) -> list[M]:
    with connection.cursor() as cursor:
        cursor.execute(select.sql, asked)
        rows = cursor.fetchall()
    return [_made(model, select.names, values) for values in select.converted(rows)]


def _made(model: type[M], names: list[str], values: list[Any]) -> M:
    """A row that is there. As when Django unpickles one, without `__init__`, which looks at each field by its turn."""
    row = model.__new__(model)
    row.__dict__.update(zip(names, values, strict=True))
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


def read_again(row: models.Model, *, lock: bool = False) -> None:
    """Sets each field as it is now; the model's `DoesNotExist` when the row is gone. What was read along stays."""
    now = get(type(row), {"pk": row.pk}, lock=lock)
    for field in row._meta.concrete_fields:
        setattr(row, field.attname, getattr(now, field.attname))


def put_along(row: models.Model, name: str, children: list[Any]) -> None:
    """As `prefetch_related` does: `row.lines.all()` are these, and each knows its `row`."""
    related: Any = getattr(row, name)
    for child in children:
        related.field.set_cached_value(child, row)
    known = related.all()  # of this row alone, whatever else is asked of it
    known._result_cache = children
    row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = known


def insert(row: M) -> M:
    """Writes a new row, with the id that the database gives it if it has none."""
    made = _insert(type(row), row.pk is None)
    connection: Any = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in made.fields]
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(made.sql, values)
        if made.returned is not None:
            row.pk = connection.ops.fetch_returned_insert_columns(cursor, made.returned)[0]
        elif row.pk is None:
            row.pk = connection.ops.last_insert_id(cursor, row._meta.db_table, made.key)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


def find_or_insert(row: M, *key: str) -> tuple[M, bool]:
    """The row there is with this one's `key`, or this one, which is new; of two at once, one is."""
    where = {name: getattr(row, name) for name in key}
    if found := find(type(row), where):
        return found, False
    try:
        with transaction.atomic():
            return insert(row), True
    except IntegrityError:
        if found := find(type(row), where):
            return found, False
        raise


def update(model: type[models.Model], where: Where, /, **fields: Any) -> int:
    """Sets these fields of such rows; how many there were."""
    connection = connections[DEFAULT_DB_ALIAS]
    values = [_field(model, name).get_db_prep_save(_id(value), connection) for name, value in fields.items()]
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(_update(model, tuple(fields), _shape(where)), values + _asked(model, where, connection))
        return int(cursor.rowcount)


@dataclass(frozen=True)
class _Select:
    sql: str
    names: list[str]
    compiler: Any
    converters: dict[int, Any]

    def converted(self, rows: list[tuple[Any, ...]]) -> Iterable[list[Any]]:
        """As the fields have them."""
        found: Iterable[list[Any]] = self.compiler.apply_converters(rows, self.converters)
        return found


@dataclass(frozen=True)
class _Insert:
    sql: str
    fields: list[Field]
    key: str
    returned: Any


@cache
def _store() -> Any:
    """How the store writes names and values: a connection that no thread uses, since what is made here is of all."""
    store: Any = connections.create_connection(DEFAULT_DB_ALIAS)
    bool(store.features.can_return_columns_from_insert)  # MariaDB is asked, once, while no other thread has this
    return store


def _select(model: type[models.Model], condition: str, lock: bool, ordering: tuple[str, ...] | None = None) -> _Select:
    fields = model._meta.concrete_fields
    compiler = model._default_manager.all().query.get_compiler(connection=_store())
    converters = compiler.get_converters([field.get_col(model._meta.db_table) for field in fields])
    order = ", ".join(_ordered(model, name) for name in ordering or model._meta.ordering or ())
    sql = f"SELECT {_columns(fields)} FROM {_table(model)} WHERE {condition}"  # noqa: S608
    sql += f" ORDER BY {order}" if order else ""
    sql += f" {_store().ops.for_update_sql()}" if lock and _store().features.has_select_for_update else ""
    return _Select(sql, [field.attname for field in fields], compiler, converters)


@cache
def _select_all(model: type[models.Model], shape: Shape, lock: bool) -> _Select:
    return _select(model, _conditions(model, shape), lock)


@cache
def _select_due(model: type[models.Model], shape: Shape, times: tuple[str, ...], most: int) -> _Select:
    come = [f"{_column(_field(model, name))} <= %s" for name in times]
    condition = " AND ".join(([_conditions(model, shape)] if shape else []) + come)
    select = _select(model, condition, False, (times[0], "pk"))
    return replace(select, sql=f"{select.sql} LIMIT {most:d}")


@cache
def _insert(model: type[models.Model], without_id: bool) -> _Insert:
    store, key = _store(), _field(model, "pk")
    fields = [field for field in model._meta.concrete_fields if not (without_id and field is key)]
    sql = f"INSERT INTO {_table(model)} ({_columns(fields)}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    if not (without_id and store.features.can_return_columns_from_insert):
        return _Insert(sql, fields, key.column, None)
    returning, returned = store.ops.return_insert_columns([key])
    return _Insert(f"{sql} {returning}", fields, key.column, returned)


@cache
def _update(model: type[models.Model], names: tuple[str, ...], shape: Shape) -> str:
    new = ", ".join(f"{_column(_field(model, name))} = %s" for name in names)
    return f"UPDATE {_table(model)} SET {new} WHERE {_conditions(model, shape)}"  # noqa: S608


def _id(value: object) -> object:
    """A row stands for its id."""
    return value.pk if isinstance(value, models.Model) else value


def _shape(where: Where) -> Shape:
    return tuple((name, _count(value)) for name, value in where.items())


def _count(value: object) -> int | None:
    if value is None:
        return None
    return len(value) if isinstance(value, tuple) else 1


def _conditions(model: type[models.Model], shape: Shape) -> str:
    return " AND ".join(_condition(_column(_field(model, name)), count) for name, count in shape)


def _condition(column: str, count: int | None) -> str:
    if count is None:
        return f"{column} IS NULL"
    return f"{column} IN ({', '.join(['%s'] * count)})" if count else "1 = 0"


def _asked(model: type[models.Model], where: Where, connection: Any) -> list[Any]:
    """The values of a condition, as the store has them."""
    asked = list[Any]()
    for name, value in where.items():
        field = _field(model, name)
        each = value if isinstance(value, tuple) else () if value is None else (value,)
        asked += [field.get_db_prep_value(_id(one), connection) for one in each]
    return asked


@cache
def _field(model: type[models.Model], name: str) -> Field:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def _ordered(model: type[models.Model], name: Any) -> str:
    return f"{_column(_field(model, name.removeprefix('-')))} {'DESC' if name.startswith('-') else 'ASC'}"


def _columns(fields: Any) -> str:
    return ", ".join(map(_column, fields))


def _column(field: Field) -> str:
    return str(_store().ops.quote_name(field.column))


def _table(model: type[models.Model]) -> str:
    return str(_store().ops.quote_name(model._meta.db_table))
