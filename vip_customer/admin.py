"""VIPs and benefits in the Django admin."""

from django.contrib import admin

from shopkit.admin import StaffAdmin
from shopkit.customers.admin import CustomerAdmin, inline, read_only
from vip_customer.models import Address, Benefit, Customer, PointsEntry, Purchase, Redemption, TierChange, ViewedItem


@admin.register(Customer)
class VipAdmin(CustomerAdmin):
    list_display = (*CustomerAdmin.list_display, "tier", "points")  # type: ignore[assignment]
    list_filter = ("tier", *CustomerAdmin.list_filter)  # type: ignore[assignment]
    readonly_fields = (*CustomerAdmin.readonly_fields, "tier", "points")  # type: ignore[assignment]
    inlines = [
        inline(Address),
        *map(read_only, (Purchase, PointsEntry, TierChange, Redemption)),
        inline(ViewedItem),
    ]


@admin.register(Benefit)
class BenefitAdmin(StaffAdmin):
    list_display = ("tier", "kind", "name", "value", "cost", "limit_per_year", "active")
    list_filter = ("tier", "kind", "active")
