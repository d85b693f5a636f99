"""Carts in the Django admin: to look at and to delete; they change through the API, which keeps their versions."""

from typing import Any

from django.contrib import admin

from cart_service.models import Cart, CartLine


class LineInline(admin.TabularInline):  # type: ignore[type-arg]
    model = CartLine
    fields = ["item_id", "name", "unit_price", "quantity"]

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False


@admin.register(Cart)
class CartAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "owner_id", "owner_type", "version", "created_at", "updated_at"]
    list_filter = ["owner_type", "created_at"]
    search_fields = ["id", "owner_id"]
    inlines = [LineInline]

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False
