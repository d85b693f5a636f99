"""`ordering=price,-name` that says so when it doesn't know a field."""

from typing import Any

from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from shopkit.errors import Invalid


def check_ordering(value: str, allowed: list[str]) -> list[str]:
    """The fields, each perhaps with `-`; `Invalid`, naming those there are, for an unknown one."""
    fields = [field.strip() for field in value.split(",") if field.strip()]
    for field in fields:
        if field.removeprefix("-") not in allowed:
            message = f"ordering must be one of {', '.join(allowed)}, with a leading - for descending."
            raise Invalid(message, details={"ordering": [message]})
    return fields


class StrictOrdering(OrderingFilter):
    """`OrderingFilter`, but an unknown field is 400 and the primary key settles ties, so that pages never overlap."""

    def remove_invalid_fields(self, queryset: Any, fields: list[str], view: Any, request: Request) -> list[str]:
        allowed = [name for name, _label in self.get_valid_fields(queryset, view, {"request": request})]
        return check_ordering(",".join(fields), allowed)

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        ordering = list(self.get_ordering(request, queryset, view) or ["pk"])
        return queryset.order_by(*ordering, *([] if "pk" in ordering else ["pk"]))
