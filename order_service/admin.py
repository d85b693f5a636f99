"""Orders in the Django admin, to look at; they change through the API, which keeps to the state graph and the log."""

from django.contrib import admin

from order_service.custom_models import CustomEvent, CustomOrder
from order_service.models import Order, OrderEvent, OrderLine
from shopkit.admin import LookOnly, StaffAdmin


class LineInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine


class EventInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderEvent
    readonly_fields = ["at"]


@admin.register(Order)
class OrderAdmin(LookOnly, StaffAdmin):
    list_display = ["id", "customer_id", "status", "total", "currency", "shipping_method", "created_at"]
    list_filter = ["status", "shipping_method", "customer_type", "created_at"]
    search_fields = ["id", "customer_id", "email"]
    inlines = [LineInline, EventInline]


class CustomEventInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = CustomEvent
    readonly_fields = ["at"]


@admin.register(CustomOrder)
class CustomOrderAdmin(LookOnly, StaffAdmin):
    list_display = ["id", "name", "status", "price", "currency", "valid_until", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["id", "customer_id", "email", "name"]
    inlines = [CustomEventInline]
