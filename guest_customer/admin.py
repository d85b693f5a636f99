"""Guests in the Django admin."""

from django.contrib import admin

from guest_customer.models import Customer, Purchase, ViewedItem
from shopkit.customers.admin import CustomerAdmin, inline, read_only


@admin.register(Customer)
class GuestAdmin(CustomerAdmin):
    inlines = [read_only(Purchase), inline(ViewedItem)]
