"""Customers in the Django admin."""

from django.contrib import admin
from django.db.models import Model

from shopkit.admin import StaffAdmin


class CustomerAdmin(StaffAdmin):
    list_display = ("id", "__str__", "moved_to", "created_at")
    list_filter = ("moved_to", "created_at")
    search_fields = ("id", "first_name", "last_name", "email")
    readonly_fields = ("id", "moved_to", "anonymised_at", "created_at", "updated_at")


def inline(of: type[Model]) -> type[admin.TabularInline]:
    """The customer's own rows of another table, below the customer."""
    return type(f"{of.__name__}Inline", (admin.TabularInline,), {"model": of, "extra": 0})
