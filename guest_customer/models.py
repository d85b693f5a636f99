"""Guests and what they looked at."""

from django.db import models

from shopkit.customers.models import CustomerBase, PurchaseBase, ViewedItemBase


class Customer(CustomerBase):
    """A guest; an email only if they gave one, for mail about an order. It is no account, so it need not be unique."""

    email = models.EmailField(blank=True)

    def forget(self) -> None:
        super().forget()
        self.email = ""


class Purchase(PurchaseBase):
    """An order of a guest, as the order service told."""


class ViewedItem(ViewedItemBase):
    """An item a guest looked at."""
