"""What is inserted and updated is what the ORM would have written, byte for byte, and fails where it would."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, models, transaction

from shopkit import rows
from shopkit.rows_testing.samples import Field, Model, Samples, auto_key, each_model, raw, read, told, twin, written

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.mark.django_db
class WritingTests(Samples):
    @each_model
    def test_a_row_is_inserted_as_the_orm_does(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        key = auto_key(model)
        for row in self.both(model):
            other = twin(row)
            expected = _tried(partial(written, other), model, without=key)
            assert _tried(partial(rows.insert, row), model, without=key) == expected
            assert expected[1]
            assert told(row, without=key) == told(other, without=key)
            assert (row._state.adding, row._state.db) == (other._state.adding, other._state.db) == (False, "default")

    @each_model
    def test_a_row_that_is_inserted_is_read_back(self, model: Model) -> None:
        for row in self.both(model):
            assert rows.insert(row) is row
            again = read(row)
            names = [field.attname for field in model._meta.concrete_fields]
            assert [getattr(again, name) for name in names] == [getattr(row, name) for name in names]
            assert type(row.pk) is type(again.pk)

    @each_model
    def test_a_row_that_is_there_is_found_and_not_inserted(self, model: Model) -> None:
        row, key = self.full(model), next(field for field in model._meta.concrete_fields if field.unique)
        if row.pk is None:
            row.pk = 2**40 + next(self.numbers)
        other = twin(row)
        assert rows.find_or_insert(row, key.attname) == (row, True)
        found, new = rows.find_or_insert(other, key.attname)
        assert (found, new) == (row, False)
        assert found is not other
        assert told(found) == told(read(row))

    @each_model
    def test_each_field_is_updated_as_the_orm_does(self, model: Model) -> None:
        row, _bare, _other = self.stored(model)
        new = self.full(model)
        for field in model._meta.concrete_fields:
            if field.primary_key:
                continue
            for name, value in _changes(field, getattr(new, field.attname)):
                set_to = {name: value}
                expected = _tried(partial(model._base_manager.filter(pk=row.pk).update, **set_to), model)
                assert _tried(partial(rows.update, model, {"pk": row.pk}, **set_to), model) == expected, set_to

    @each_model
    def test_all_fields_are_updated_at_once(self, model: Model) -> None:
        row, bare, other = self.stored(model)
        new = self.full(model)
        fields = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        before = [told(read(each)) for each in (bare, other)]
        assert rows.update(model, {"pk": row.pk}, **{name: getattr(new, name) for name in fields}) == 1
        assert [getattr(read(row), name) for name in fields] == [getattr(new, name) for name in fields]
        assert [told(read(each)) for each in (bare, other)] == before

    @each_model
    def test_rows_that_stay_as_they_were_count_as_updated(self, model: Model) -> None:
        keys = tuple(row.pk for row in self.stored(model))
        field: Field = next(field for field in model._meta.concrete_fields if not field.primary_key)
        same = {field.attname: getattr(read(model._base_manager.get(pk=keys[0])), field.attname)}
        assert rows.update(model, {"pk": keys[0]}, **same) == 1
        assert rows.update(model, {"pk": keys, field.attname: same[field.attname]}, **same) >= 1

    @each_model
    def test_what_fails_takes_its_transaction_along(self, model: Model) -> None:
        one, other, _more = self.stored(model)
        again = twin(one)
        again._state.adding = True
        for fail in (
            lambda: rows.insert(again),
            lambda: rows.update(model, {"pk": one.pk}, **{model._meta.pk.attname: other.pk}),
        ):
            with transaction.atomic():
                with pytest.raises(IntegrityError):
                    fail()
                with pytest.raises(transaction.TransactionManagementError):
                    model._base_manager.count()
        assert model._base_manager.filter(pk__in=[one.pk, other.pk]).count() == 2

    @pytest.mark.any_store  # for PostgreSQL always returns it
    @each_model
    def test_a_store_that_returns_nothing_is_asked_for_the_new_id(
        self, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(connection.features), "can_return_columns_from_insert", False)
        forget()
        try:
            for row in self.both(model):
                assert told(rows.insert(row)).keys() == told(read(row)).keys()
        finally:
            monkeypatch.undo()
            forget()


def forget() -> None:
    """As in a process that has just begun."""
    for each in vars(rows).values():
        if clear := getattr(each, "cache_clear", None):
            clear()


def _changes(field: Field, value: Any) -> list[tuple[str, Any]]:
    """Of a field's name and of its column's, the values to try; one that is refused, the ORM refuses too."""
    named = [(field.name, value), (field.attname, value), (field.name, None)]
    if isinstance(field, models.CharField | models.TextField):
        return [*named, (field.name, ""), (field.name, _Word.ONE)]
    if isinstance(field, models.JSONField):
        return [*named, (field.name, []), (field.name, "%s"), (field.name, 0)]
    return [*named, (field.name, str(value))]


class _Word(models.TextChoices):
    ONE = "one"


def _tried(write: Callable[[], Any], model: Model, *, without: str = "") -> tuple[Any, Any]:
    """What came of it: the error, or how many rows it changed, and what the table has then; it is undone."""
    try:
        with transaction.atomic():
            done = write()
            after = raw(model, without=without)
            transaction.set_rollback(True)
            return (done if isinstance(done, int) else None, after)
    except (Error, ValueError) as error:
        return (type(error), None)
