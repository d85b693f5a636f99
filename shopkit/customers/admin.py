"""Customers in the Django admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from shopkit.admin import StaffAdmin
from shopkit.customers.models import EmailCustomerBase


class CustomerAdmin(StaffAdmin):
    list_display = ("id", "__str__", "moved_to", "created_at")
    list_filter = ("moved_to", "created_at")
    search_fields = ("id", "first_name", "last_name", "email")
    readonly_fields = ("id", "moved_to", "anonymised_at", "created_at", "updated_at")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """To be changed, it is held: or points, and where a customer is, would be written back as they were before."""
        if request.method == "POST":
            self.model._default_manager.select_for_update().filter(pk=object_id).first()
        return super().get_object(request, object_id, from_field)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who has gone, or is about to go, is changed where they are then."""
        here = obj is None or not (obj.moving_to or obj.moved_to or obj.arrival_ticket)
        return here and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The email of an account is its key, and changes nowhere."""
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "email") if obj and issubclass(self.model, EmailCustomerBase) else fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the API makes them, and looks whose their email is

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # customers are forgotten, not deleted: their orders and points stay countable


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]  # which it takes in its stubs alone
    """Rows to look at, which the service alone writes."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def inline(of: type[Model]) -> type["admin.TabularInline[Any, Any]"]:
    """The customer's own rows of another table, below the customer."""
    return type(f"{of.__name__}Inline", (admin.TabularInline,), {"model": of, "extra": 0})


def read_only(of: type[Model]) -> type["admin.TabularInline[Any, Any]"]:
    """The same, to look at only."""
    return type(f"{of.__name__}Inline", (ReadOnlyInline,), {"model": of})
