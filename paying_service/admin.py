"""Payments in the Django admin, to look at; they change through the API, which keeps to the state graph."""

from typing import Any

from django.contrib import admin

from paying_service.models import Payment


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "order_id", "customer_id", "provider", "method", "amount", "currency", "status", "created_at"]
    list_filter = ["status", "provider", "method", "created_at"]
    search_fields = ["id", "order_id", "customer_id"]

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any) -> bool:
        return False
