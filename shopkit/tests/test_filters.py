"""Ordering that says so when it doesn't know a field, and moments in any zone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from rest_framework.request import Request

from shopkit.errors import Invalid
from shopkit.filters import MomentField, MomentFilter, StrictOrdering, check_ordering


class Rows:
    """Stands for a queryset."""

    def order_by(self, *fields: str) -> tuple[str, ...]:
        return fields


class View:
    ordering_fields = ["name", "price", "pk"]
    ordering: Any = None


def ordered(query: str, view: View) -> tuple[str, ...]:
    request = Request(RequestFactory().get("/", {"ordering": query} if query else {}))
    return StrictOrdering().filter_queryset(request, Rows(), view)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ("pk",)),
        ("name", ("name", "pk")),
        ("-price, name", ("-price", "name", "pk")),
        ("pk", ("pk",)),
        ("-pk", ("-pk", "pk")),
    ],
)
def test_the_primary_key_settles_ties(query: str, fields: tuple[str, ...]) -> None:
    assert ordered(query, View()) == fields


def test_a_view_may_have_an_order_of_its_own() -> None:
    view = View()
    view.ordering = ["-price"]
    assert ordered("", view) == ("-price", "pk")


@pytest.mark.parametrize("query", ["secret", "-secret", "--name", "name,secret"])
def test_an_unknown_field_is_refused_and_the_known_are_named(query: str) -> None:
    with pytest.raises(Invalid, match="name, price, pk"):
        ordered(query, View())


def test_blanks_between_commas_do_not_count() -> None:
    assert check_ordering(" name ,, -price,", ["name", "price"]) == ["name", "-price"]


@pytest.mark.parametrize("text", ["2026-01-31T14:00:00+02:00", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00"])
def test_a_moment_is_the_same_in_any_zone(text: str) -> None:
    assert MomentField().clean(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_date_alone_is_its_first_moment() -> None:
    assert MomentField().clean("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert MomentFilter.field_class is MomentField


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        MomentField().clean(text)
