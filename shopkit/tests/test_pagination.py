"""Pages: which there are, and which numbers make no sense."""

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from shopkit.errors import Invalid
from shopkit.pagination import Pages, check_page_exists, page_bounds, positive


def page(query: str, rows: int = 25) -> dict[str, object]:
    pages = Pages()
    found = pages.paginate_queryset(list(range(rows)), Request(RequestFactory().get(f"/{query}")))
    return dict(pages.get_paginated_response(found).data)


def test_a_page_has_ten_unless_asked() -> None:
    first = page("")
    assert (first["count"], first["results"], first["previous"]) == (25, list(range(10)), None)
    assert first["next"] == "http://testserver/?page=2"
    assert page("?page=2&page_size=20") == {
        "count": 25,
        "next": None,
        "previous": "http://testserver/?page_size=20",
        "results": list(range(20, 25)),
    }


@pytest.mark.parametrize(
    "value", ["0", "-1", "+1", "1.5", "x", "", "101", "٣", "9" * 5000, "0" * 19 + "101", "1" + "9" * 4300]
)
def test_a_bad_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        positive("page_size", value, at_most=100)
    assert list(refused.value.details) == ["page_size"]


def test_zeros_before_a_number_say_nothing() -> None:
    assert positive("page_size", "0" * 30 + "7", at_most=100) == 7


@pytest.mark.parametrize("query", ["?page=0", "?page=last", "?page_size=101", "?page_size=", "?page=9999999999"])
def test_both_ways_to_page_refuse_the_same(query: str) -> None:
    with pytest.raises(Invalid):
        page(query)
    with pytest.raises(Invalid):
        page_bounds(RequestFactory().get(f"/{query}").GET)


def test_bounds_are_ten_a_page_from_the_first_unless_asked() -> None:
    assert page_bounds({}) == (1, 10)
    assert page_bounds({"page": "3", "page_size": "100"}) == (3, 100)


def test_a_page_past_the_end_is_not_there_but_the_first_of_nothing_is() -> None:
    check_page_exists(1, 10, 0)
    check_page_exists(2, 10, 11)
    for number, count in ((2, 10), (2, 0)):
        with pytest.raises(NotFound):
            check_page_exists(number, 10, count)
    assert page("", rows=0)["results"] == []
    with pytest.raises(NotFound):
        page("?page=4")
