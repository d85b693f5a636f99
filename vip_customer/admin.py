"""VIPs and benefits in the Django admin."""

from django.contrib import admin

from shopkit.admin import StaffAdmin
from shopkit.customers.admin import CustomerAdmin, inline
from vip_customer.models import Address, Benefit, Customer, PointsEntry, ViewedItem


@admin.register(Customer)
class VipAdmin(CustomerAdmin):
    list_display = (*CustomerAdmin.list_display, "tier", "points")  # type: ignore[assignment]
    list_filter = ("tier", *CustomerAdmin.list_filter)  # type: ignore[assignment]
    readonly_fields = (*CustomerAdmin.readonly_fields, "points")  # type: ignore[assignment]
    inlines = [inline(Address), inline(PointsEntry), inline(ViewedItem)]


@admin.register(Benefit)
class BenefitAdmin(StaffAdmin):
    list_display = ("tier", "kind", "name", "value", "active")
    list_filter = ("tier", "kind", "active")
