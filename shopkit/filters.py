"""`ordering=price,-name` that says so when it doesn't know a field; and filters by time."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django_filters import IsoDateTimeFilter, rest_framework
from django_filters.fields import IsoDateTimeField
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

    def remove_invalid_fields(self, queryset: Any, fields: Any, view: Any, request: Request) -> list[str]:
        allowed = [name for name, _label in self.get_valid_fields(queryset, view, {"request": request})]
        return check_ordering(",".join(fields), allowed)

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        ordering = list(self.get_ordering(request, queryset, view) or ["pk"])
        return queryset.order_by(*ordering, *([] if "pk" in ordering else ["pk"]))


class MomentField(IsoDateTimeField):  # type: ignore[misc]
    """ISO 8601 in any zone; one whose zone takes it out of the calendar is refused."""

    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(IsoDateTimeFilter):  # type: ignore[misc]
    """`created_after=2026-01-31T12:00:00Z`, or the date alone."""

    field_class = MomentField


class CreatedFilter(rest_framework.FilterSet):  # type: ignore[misc]
    """`created_after=…`, that moment included, and `created_before=…`; a `Meta` adds a model and its own fields."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
