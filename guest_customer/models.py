"""Guests, their sessions and what they looked at."""

from django.db import models

from shopkit.customers.models import CustomerBase, PurchaseBase, SessionBase, ViewedItemBase


class Customer(CustomerBase):
    """A guest; an email only if they gave one, for mail about an order. It is no account, so it need not be unique.

    Who began by themselves is forgotten at `expires_at`, unless they come back before; who staff made, never.
    """

    email = models.EmailField(blank=True)
    expires_at = models.DateTimeField(null=True, editable=False, db_index=True)

    def forget(self) -> None:
        super().forget()
        self.email = ""


class Purchase(PurchaseBase):
    """An order of a guest, as the order service told."""


class ViewedItem(ViewedItemBase):
    """An item a guest looked at."""


class Session(SessionBase):
    """A guest's session."""
