"""The tables that every customer service has, abstract; each service makes them its own, under the same names."""

import uuid
from typing import Any

from django.db import models

from shopkit.customers.emails import normal


def new_id() -> str:
    return str(uuid.uuid4())


class CustomerBase(models.Model):
    """A customer of one type. The id stays for life; `moved_to` names the type whose service has them now.

    While a move is under way (`move_id`), `moving_to` says where the customer is about to go. Who is gone gives out
    `leave_ticket`; who is to arrive becomes present to whoever brings it (`arrival_ticket`).
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    moved_to = models.CharField(max_length=20, blank=True, editable=False)
    moving_to = models.CharField(max_length=20, blank=True, editable=False)
    move_id = models.UUIDField(null=True, editable=False)
    leave_ticket = models.CharField(max_length=64, blank=True, editable=False)
    arrival_ticket = models.CharField(max_length=64, blank=True, editable=False)
    anonymised_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.id

    def forget(self) -> None:
        """Empties what says who this is; the caller saves."""
        self.first_name = self.last_name = self.phone = ""
        self.preferences = {}


class EmailCustomerBase(CustomerBase):
    """A customer with an account: one email each, in its normal form; null once anonymised."""

    email = models.EmailField(unique=True, null=True)
    birth_date = models.DateField(null=True, blank=True)

    class Meta(CustomerBase.Meta):
        abstract = True

    def forget(self) -> None:
        super().forget()
        self.email = self.birth_date = None
        self.addresses.all().delete()  # type: ignore[attr-defined]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normal(self.email) if self.email else None
        super().save(*args, **kwargs)


class AddressBase(models.Model):
    """An address; at most one of a customer's is the default for shipping, and one for billing."""

    customer: Any = models.ForeignKey("Customer", on_delete=models.CASCADE, related_name="addresses")  # type: ignore[misc]
    name = models.CharField(max_length=200)
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    phone = models.CharField(max_length=40, blank=True)
    default_shipping = models.BooleanField(default=False)
    default_billing = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.line1}, {self.city}"


class PurchaseBase(models.Model):
    """An order as the order service last told of it; `goods` is the total without shipping and tax, all minor units."""

    customer: Any = models.ForeignKey("Customer", on_delete=models.CASCADE, related_name="purchases")  # type: ignore[misc]
    order_id = models.CharField(max_length=64)
    order_version = models.PositiveIntegerField()
    status = models.CharField(max_length=20)
    total = models.BigIntegerField()
    goods = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    placed_at = models.DateTimeField()

    class Meta:
        abstract = True
        unique_together = [("customer", "order_id")]
        ordering = ["-placed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.status}"


class ViewedItemBase(models.Model):
    """An item that a customer looked at, and when last."""

    customer: Any = models.ForeignKey("Customer", on_delete=models.CASCADE, related_name="viewed_items")  # type: ignore[misc]
    item_id = models.CharField(max_length=100)
    viewed_at = models.DateTimeField()

    class Meta:
        abstract = True
        unique_together = [("customer", "item_id")]
        ordering = ["-viewed_at", "id"]

    def __str__(self) -> str:
        return self.item_id


class SessionBase(models.Model):
    """A family of refresh tokens, from one log-in: only the hashes of the newest and of the one before are kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=64, db_index=True)
    current = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True)
    rotated_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"session of {self.subject}"
