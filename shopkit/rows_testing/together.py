"""What many threads read and write at once is right, from the first on; and a row that is kept is kept from others."""

import gc
import weakref
from functools import partial
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from shopkit import rows
from shopkit.rows_testing.samples import MODELS, Model, Samples, read, told
from shopkit.rows_testing.writing import forget
from shopkit.testing import at_once

TIMES = 24
in_earnest = pytest.mark.django_db(transaction=True)


class TogetherTests(Samples):
    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """Each connection as it is opened, kept here as anything could keep it."""
        seen: list[Any] = []
        connect = BaseDatabaseWrapper.connect

        def remembered(each: Any) -> None:
            seen.append(each)
            connect(each)

        monkeypatch.setattr(BaseDatabaseWrapper, "connect", remembered)
        return seen

    @in_earnest
    def test_many_that_begin_at_once_get_what_is_theirs(self, opened: list[Any]) -> None:
        for model in MODELS:
            made = [self.full(model) for _ in range(TIMES)]
            forget()
            at_once(partial(self._round, made), TIMES)
            assert model._base_manager.filter(pk__in=[row.pk for row in made]).count() == TIMES
        assert len(opened) >= TIMES
        assert [each for each in opened if each.connection and each is not connections[DEFAULT_DB_ALIAS]] == []

    @staticmethod
    def _round(made: list[Any], number: int) -> None:
        row = rows.insert(made[number])
        model = type(row)
        found = rows.find(model, {"pk": row.pk})
        assert found is not None
        assert told(found) == told(read(row))
        fields = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        assert rows.update(model, {"pk": row.pk}, **{name: getattr(found, name) for name in fields}) == 1

    @in_earnest
    def test_what_one_thread_began_another_goes_on_with(self) -> None:
        for model in MODELS:
            row = self.full(model)
            forget()
            begin, go_on = partial(_found, row), partial(_inserted, row)
            assert (at_once(begin, 1), at_once(go_on, 1)) == ([False], [True])
            assert told(read(row)) == told(rows.find(model, {"pk": row.pk}))  # type: ignore[arg-type]

    @in_earnest
    def test_a_thread_leaves_no_connection_behind(self) -> None:
        made = [self.full(model) for model in MODELS]
        forget()

        def its_connection(_number: int) -> "weakref.ref[Any]":
            for number in range(len(made)):
                self._round(made, number)
            return weakref.ref(connections[DEFAULT_DB_ALIAS])

        [left] = at_once(its_connection, 1)
        gc.collect()
        assert left() is None

    @in_earnest
    def test_a_row_that_is_kept_nobody_else_has(self) -> None:
        model = MODELS[0]
        row, _bare, other = self.stored(model)
        with transaction.atomic():
            assert rows.find(model, {"pk": row.pk}, lock=True) == row
            if not connection.features.has_select_for_update_nowait:
                return
            assert at_once(lambda _: _free(model, row.pk), 1) == [False]
            assert at_once(lambda _: _free(model, other.pk), 1) == [True]
        assert at_once(lambda _: _free(model, row.pk), 1) == [True]

    @in_earnest
    def test_a_row_that_is_only_read_others_can_have(self) -> None:
        model = MODELS[0]
        row = self.stored(model)[0]
        with transaction.atomic():
            assert rows.find(model, {"pk": row.pk}) == row
            if connection.features.has_select_for_update_nowait:
                assert at_once(lambda _: _free(model, row.pk), 1) == [True]

    @in_earnest
    def test_without_a_transaction_no_row_is_kept(self) -> None:
        with pytest.raises(transaction.TransactionManagementError):
            rows.find(MODELS[0], {"pk": self.stored(MODELS[0])[0].pk}, lock=True)


def _found(row: Any, _number: int) -> bool:
    return rows.find(type(row), {"pk": row.pk}) is not None


def _inserted(row: Any, _number: int) -> bool:
    return rows.insert(row) is row


def _free(model: Model, key: Any) -> bool:
    """Whether the row could be had at once."""
    try:
        with transaction.atomic():
            return bool(model._base_manager.select_for_update(nowait=True).filter(pk=key))
    except OperationalError:
        return False
