"""Guests in the Django admin."""

from django.contrib import admin

from guest_customer.models import Customer, ViewedItem
from shopkit.customers.admin import CustomerAdmin, inline


@admin.register(Customer)
class GuestAdmin(CustomerAdmin):
    inlines = [inline(ViewedItem)]
