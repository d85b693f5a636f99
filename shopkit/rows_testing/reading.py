"""A row that is found is as the ORM reads it, and so are those that belong to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from shopkit import rows
from shopkit.rows_testing.samples import MODELS, Model, Samples, each_model, read, told

Parent = tuple[Model, str]


def _parents() -> list[Parent]:
    related = [(model, rel) for model in MODELS for rel in model._meta.related_objects if rel.related_name]
    return [(model, str(rel.related_name)) for model, rel in related if rel.one_to_many]


_TIMED = [(model, f.name) for model in MODELS for f in model._meta.fields if isinstance(f, models.DateTimeField)]
each_timed = pytest.mark.parametrize(("model", "time"), _TIMED, ids=lambda part: getattr(part, "__name__", part))
each_parent = pytest.mark.parametrize(("model", "along"), _parents(), ids=lambda part: getattr(part, "__name__", part))


@pytest.mark.django_db
class ReadingTests(Samples):
    @each_model
    def test_a_row_that_the_orm_wrote_is_found_as_the_orm_reads_it(self, model: Model) -> None:
        for expected in self.stored(model):
            found = rows.find(model, {"pk": expected.pk})
            assert found is not None
            assert told(found) == told(expected)
            assert type(found) is model
            assert vars(found).keys() == vars(expected).keys()
            assert (found._state.adding, found._state.db) == (False, expected._state.db)
            assert found._state.fields_cache == {}

    @each_model
    def test_a_row_that_is_read_again_is_as_the_orm_reads_it_again(self, model: Model) -> None:
        row, _bare, other = self.stored(model)
        before, again = read(row), read(row)
        names = [field.attname for field in model._meta.concrete_fields if not (field.primary_key or field.unique)]
        models.QuerySet(model).filter(pk=row.pk).update(**{name: getattr(other, name) for name in names[-1:]})
        rows.read_again(before)
        again.refresh_from_db()
        assert told(before) == told(again)
        models.QuerySet(model).filter(pk=row.pk)._raw_delete(row._state.db)
        for gone in (lambda: rows.read_again(before), lambda: rows.get(model, {"pk": row.pk})):
            with pytest.raises(model.DoesNotExist):  # type: ignore[attr-defined]
                gone()

    @each_model
    def test_all_rows_come_in_the_order_that_the_orm_has(self, model: Model) -> None:
        made = [self.full(model) for _ in range(4)]
        for number, row in enumerate(made):
            if isinstance(model._meta.pk, models.AutoField):
                row.pk = 1000 - number
            models.Model.save(row, force_insert=True)
        keys = tuple(row.pk for row in made)
        expected, found = list(model._base_manager.filter(pk__in=keys)), rows.find_all(model, {"pk": keys})
        if not model._meta.ordering:
            expected.sort(key=lambda row: keys.index(row.pk))
            found.sort(key=lambda row: keys.index(row.pk))
        assert [told(row) for row in found] == [told(row) for row in expected]

    @each_timed
    def test_what_is_due_comes_in_the_order_of_its_time(self, model: Model, time: str) -> None:
        keys = tuple(each.pk for _ in range(3) for each in self.stored(model))
        others = [each for timed, each in _TIMED if timed is model and each != time]
        moments = sorted(getattr(row, time) for row in rows.find_all(model, {"pk": keys}) if getattr(row, time))
        for now, most in ((moments[-1], 9), (moments[-1], 2), (moments[0], 9), (moments[0] - timedelta(seconds=1), 9)):
            for where, times in (({"pk": keys}, [time]), ({}, [time, *others])):
                due: Any = models.QuerySet(model).filter(**{f"{each}__lte": now for each in times}, pk__in=keys)
                found = rows.find_due(model, where, *times, now=now, most=most)
                assert [told(row) for row in found] == [told(row) for row in due.order_by(time, "pk")[:most]]

    @each_parent
    def test_what_belongs_to_a_row_is_there_as_if_prefetched(self, model: Model, along: str) -> None:
        row, _other = self._with_children(model, along)
        expected = model._base_manager.prefetch_related(along).get(pk=row.pk)
        found = rows.find(model, {"pk": row.pk}, along=along)
        with CaptureQueriesContext(connection) as asked:
            children = list(getattr(found, along).all())
            assert [told(child) for child in children] == [told(child) for child in getattr(expected, along).all()]
            assert len(children) == len(getattr(found, along).all()) == getattr(found, along).count() == 3
            back = getattr(found, along).field.name
            assert all(getattr(child, back) is found for child in children)
        assert not asked.captured_queries

    @each_parent
    def test_what_else_is_asked_of_its_children_the_store_answers_for_them_alone(
        self, model: Model, along: str
    ) -> None:
        row, other = self._with_children(model, along)
        found = rows.find(model, {"pk": row.pk}, along=along)
        children = getattr(found, along)
        first = children.all()[0]
        with CaptureQueriesContext(connection) as asked:
            assert [child.pk for child in children.filter(pk=first.pk)] == [first.pk]
            assert not children.filter(pk__in=[child.pk for child in getattr(other, along).all()])
            assert children.exclude(pk=first.pk).count() == 2
        assert len(asked.captured_queries) == 4
        children.all().delete()
        assert getattr(other, along).count() == 3

    @each_parent
    def test_a_row_without_any_has_none(self, model: Model, along: str) -> None:
        row = self.stored(model)[0]
        found = rows.find(model, {"pk": row.pk}, along=along)
        with CaptureQueriesContext(connection) as asked:
            assert list(getattr(found, along).all()) == []
        assert not asked.captured_queries

    def _with_children(self, model: Model, along: str) -> tuple[models.Model, models.Model]:
        """Two rows, each with three that belong to it."""
        one, other, _more = self.stored(model)
        related = getattr(one, along)
        for parent in (one, other) * 3:
            child = self.full(related.model)
            setattr(child, related.field.attname, parent.pk)
            models.Model.save(child, force_insert=True)
        return one, other
