"""Registered customers in the Django admin."""

from django.contrib import admin

from registered_customer.models import Address, Customer, ViewedItem
from shopkit.customers.admin import CustomerAdmin, inline


@admin.register(Customer)
class RegisteredAdmin(CustomerAdmin):
    inlines = [inline(Address), inline(ViewedItem)]
