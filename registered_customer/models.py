"""Registered customers, their addresses, and what they looked at; and the accounts of all who log in."""

import uuid

from django.db import models
from django.utils import timezone

from shopkit.customers.models import AddressBase, EmailCustomerBase, PurchaseBase, SessionBase, ViewedItemBase, new_id


class Customer(EmailCustomerBase):
    """A registered customer. Those that staff made have no account until they register themselves."""

    email_verified = models.BooleanField(default=False, editable=False)


class Address(AddressBase):
    """An address of a registered customer."""


class Purchase(PurchaseBase):
    """An order of a registered customer, as the order service told."""


class ViewedItem(ViewedItemBase):
    """An item a registered customer looked at."""


class Account(models.Model):
    """Who may log in: a customer, under the customer's id, or staff. `customer_type`: whose service has the profile.

    An account comes to be when its email is verified, never before.
    """

    class Role(models.TextChoices):
        CUSTOMER = "customer"
        STAFF = "staff"

    class CustomerType(models.TextChoices):
        REGISTERED = "registered"
        VIP = "vip"

    id = models.CharField(primary_key=True, max_length=64, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    password = models.CharField(max_length=255, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.CUSTOMER)
    customer_type = models.CharField(max_length=20, choices=CustomerType.choices, default=CustomerType.REGISTERED)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    password_changed_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.email


class Registration(models.Model):
    """Somebody who wants an account, until the mailed token shows that the email is theirs. Of it a hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(db_index=True)
    password = models.CharField(max_length=255)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    guest_id = models.CharField(max_length=64, null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    completed_at = models.DateTimeField(null=True)
    customer_id = models.CharField(max_length=64, null=True)

    def __str__(self) -> str:
        return str(self.id)


class PasswordReset(models.Model):
    """Somebody who says they forgot their password. `account` is set once that account has been sent the token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    token_hash = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class Session(SessionBase):
    """A session of an account."""
