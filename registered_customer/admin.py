"""Registered customers and accounts in the Django admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registered_customer import accounts
from registered_customer.models import Account, Address, Customer, Purchase, ViewedItem
from shopkit.admin import StaffAdmin
from shopkit.customers.admin import CustomerAdmin, inline, read_only


@admin.register(Customer)
class RegisteredAdmin(CustomerAdmin):
    inlines = [inline(Address), read_only(Purchase), inline(ViewedItem)]


@admin.register(Account)
class AccountAdmin(StaffAdmin):
    """Accounts begin with a registration or `make staff`; here they change their role, or are shut."""

    list_display = ("email", "role", "customer_type", "active", "created_at")
    list_filter = ("role", "customer_type", "active")
    search_fields = ("id", "email")
    fields = ("id", "email", "role", "customer_type", "active", "created_at", "password_changed_at")
    readonly_fields = ("id", "email", "customer_type", "created_at", "password_changed_at")

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: object, change: bool) -> None:
        accounts.keep(account=obj)

    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        accounts.close(account_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Account]") -> None:
        for account in queryset:
            accounts.close(account_id=account.pk)
