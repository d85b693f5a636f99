"""Registered customers in the Django admin."""

from django.contrib import admin

from registered_customer.models import Address, Customer, Purchase, ViewedItem
from shopkit.customers.admin import CustomerAdmin, inline, read_only


@admin.register(Customer)
class RegisteredAdmin(CustomerAdmin):
    inlines = [inline(Address), read_only(Purchase), inline(ViewedItem)]
