"""Guests and what they looked at."""

from django.db import models

from shopkit.customers.models import CustomerBase, ViewedItemBase


class Customer(CustomerBase):
    """A guest; an email only if they gave one, for mail about an order. It is no account, so it need not be unique."""

    email = models.EmailField(blank=True)


class ViewedItem(ViewedItemBase):
    """An item a guest looked at."""
