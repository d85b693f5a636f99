"""Registered customers, their addresses, and what they looked at."""

from django.db import models

from shopkit.customers.models import AddressBase, EmailCustomerBase, PurchaseBase, ViewedItemBase


class Customer(EmailCustomerBase):
    """A customer with an account."""

    email_verified = models.BooleanField(default=False, editable=False)


class Address(AddressBase):
    """An address of a registered customer."""


class Purchase(PurchaseBase):
    """An order of a registered customer, as the order service told."""


class ViewedItem(ViewedItemBase):
    """An item a registered customer looked at."""
