"""A condition finds the rows that the ORM finds by it."""

from typing import Any

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models

from shopkit import rows
from shopkit.rows_testing.samples import MODELS, TEXT, Field, Model, Samples, each_model


def _askable(model: Model) -> list[Field]:
    """JSON is no condition."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.JSONField)]


def _found(model: Model, where: dict[str, Any]) -> set[Any]:
    return {row.pk for row in rows.find_all(model, where)}


@pytest.mark.django_db
class AskingTests(Samples):
    @each_model
    def test_a_value_or_none_finds_the_same_rows(self, model: Model) -> None:
        for row in self.stored(model):
            for field in _askable(model):
                value = getattr(row, field.attname)
                expected = {each.pk for each in model._base_manager.filter(**{field.attname: value})}
                assert row.pk in expected
                assert _found(model, {field.attname: value}) == expected, field
                assert _found(model, {field.name: value}) == expected, field

    @each_model
    def test_one_of_some_values_finds_the_same_rows(self, model: Model) -> None:
        stored = self.stored(model)
        for field in _askable(model):
            values = tuple(getattr(row, field.attname) for row in stored)
            for some in (values[:1], values[::2], values, (None, *values), (None,)):
                expected = {each.pk for each in model._base_manager.filter(**{f"{field.attname}__in": some})}
                assert _found(model, {field.name: some}) == expected, field

    @each_model
    def test_all_that_is_asked_must_hold(self, model: Model) -> None:
        row, bare, other = self.stored(model)
        for each in (row, bare):
            everything = {field.attname: getattr(each, field.attname) for field in _askable(model)}
            assert _found(model, everything) == {each.pk}
            assert _found(model, {**everything, "pk": (each.pk,)}) == {each.pk}
            assert _found(model, {**everything, "pk": other.pk}) == set()
            assert rows.find(model, everything) == each

    @each_model
    def test_one_of_no_values_is_no_row(self, model: Model) -> None:
        row = self.stored(model)[0]
        for field in _askable(model):
            assert rows.find_all(model, {field.name: ()}) == []
            assert rows.find(model, {"pk": row.pk, field.name: ()}) is None
            assert rows.update(model, {field.name: (), "pk": row.pk}, **_same(row)) == 0

    @each_model
    def test_where_there_is_none_nothing_is_found(self, model: Model) -> None:
        row = self.stored(model)[0]
        key = row.pk
        models.Model.delete(row)
        assert rows.find(model, {"pk": key}) is None
        assert rows.find_all(model, {"pk": key}) == []
        assert rows.update(model, {"pk": key}, **_same(row)) == 0

    def test_a_condition_on_words_is_no_statement(self) -> None:
        model, field = next((model, field) for model, field in self._words() if field.max_length > len(TEXT))
        row = self.stored(model)[0]
        for text in (TEXT, "%", "%%", "_", "' OR '1'='1", "\\'", "%(pk)s", ""):
            assert rows.update(model, {"pk": row.pk}, **{field.name: text}) == 1
            assert _found(model, {field.name: text, "pk": row.pk}) == {row.pk}
            assert getattr(rows.find(model, {"pk": row.pk}), field.name) == text
        assert _found(model, {field.name: "%"}) == set()

    def test_names_are_those_of_the_model(self) -> None:
        for name in (connection.ops.quote_name("id"), "pk__in", "id = id OR id"):
            with pytest.raises(FieldDoesNotExist):
                rows.find(MODELS[0], {name: "x"})

    def _words(self) -> Any:
        fields = [(model, field) for model in MODELS for field in model._meta.concrete_fields]
        return ((m, f) for m, f in fields if isinstance(f, models.CharField) and not f.primary_key and not f.unique)


def _same(row: models.Model) -> dict[str, Any]:
    field = next(field for field in row._meta.concrete_fields if not field.primary_key)
    return {field.attname: getattr(row, field.attname)}
