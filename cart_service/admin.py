"""Carts in the Django admin: to look at and to delete; they change through the API, which keeps their versions."""

from django.contrib import admin

from cart_service.models import Cart, CartLine
from shopkit.admin import NotWritten, StaffAdmin


class LineInline(NotWritten, admin.TabularInline):  # type: ignore[type-arg]
    model = CartLine
    fields = ["item_id", "name", "unit_price", "quantity"]


@admin.register(Cart)
class CartAdmin(NotWritten, StaffAdmin):
    list_display = ["id", "owner_id", "owner_type", "version", "created_at", "updated_at"]
    list_filter = ["owner_type", "created_at"]
    search_fields = ["id", "owner_id"]
    inlines = [LineInline]
