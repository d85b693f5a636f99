"""Pages: `{"count", "next", "previous", "results"}`, 10 items unless asked, 100 at most; a bad number is 400."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from shopkit.errors import Invalid

MAX_PAGE_SIZE = 100


def positive(name: str, value: str, *, at_most: int) -> int:
    """A query parameter that counts something; `Invalid` unless it is 1 … `at_most`."""
    digits = value.lstrip("0")[:19]  # a longer number is too large, and might be more than Python takes
    if not value.isascii() or not value.isdigit() or not 1 <= int(digits or 0) <= at_most:
        message = f"{name} must be a whole number from 1 to {at_most}."
        raise Invalid(message, details={name: [message]})
    return int(digits)


class Pages(PageNumberPagination):
    """Works on a queryset and on anything with `count()` and slices."""

    page_size = 10
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        value = request.query_params.get("page_size")
        return self.page_size if value is None else positive("page_size", value, at_most=MAX_PAGE_SIZE)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        positive("page", request.query_params.get("page", "1"), at_most=10**9)
        return super().paginate_queryset(queryset, request, view)


def page_bounds(params: Any) -> tuple[int, int]:
    """`(page, page_size)` from query parameters, by the same rules."""
    size = positive("page_size", params.get("page_size", str(Pages.page_size)), at_most=MAX_PAGE_SIZE)
    return positive("page", params.get("page", "1"), at_most=10**9), size


def check_page_exists(page: int, size: int, count: int) -> None:
    """`NotFound` for a page past the end; the first page of nothing exists."""
    if page > 1 and (page - 1) * size >= count:
        raise NotFound("There is no such page.")
