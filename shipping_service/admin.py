"""Shipments in the Django admin, to look at; they change through the API, which keeps the state graph and the log."""

from django.contrib import admin

from shipping_service.models import Shipment, ShipmentEvent
from shopkit.admin import LookOnly, StaffAdmin


class EventInline(LookOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = ShipmentEvent
    readonly_fields = ["at"]


@admin.register(Shipment)
class ShipmentAdmin(LookOnly, StaffAdmin):
    list_display = ["tracking_number", "order_id", "customer_id", "method", "weight_g", "status", "created_at"]
    list_filter = ["status", "method", "created_at"]
    search_fields = ["tracking_number", "order_id", "customer_id"]
    inlines = [EventInline]
