"""VIPs, their addresses, purchases and views, their points and tiers, and the benefits of each tier."""

import uuid
from typing import Any, NoReturn

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from shopkit.customers.models import AddressBase, EmailCustomerBase, PurchaseBase, ViewedItemBase
from vip_customer.tiers import Tier


class Customer(EmailCustomerBase):
    """A VIP. `points` is the sum of their ledger."""

    tier = models.CharField(max_length=10, choices=Tier.choices, default=Tier.BRONZE)
    points = models.IntegerField(default=0, editable=False)

    class Meta(EmailCustomerBase.Meta):
        indexes = [models.Index(fields=["tier"])]


class Address(AddressBase):
    """An address of a VIP."""


class Purchase(PurchaseBase):
    """An order of a VIP, as the order service told."""


class ViewedItem(ViewedItemBase):
    """An item a VIP looked at."""


class AppendOnly(Exception):
    """The ledger is only added to: what was wrong is put right by another line."""


class Ledger(models.QuerySet["PointsEntry"]):
    """Lines that nobody changes or deletes. A customer who moves leaves them here, until they come back."""

    def update(self, **_fields: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class PointsEntry(models.Model):
    """A line of the ledger, never changed. `source` names what earned or cost the points, and counts once.

    `earned_at` is when the points count for the tier: an order's, and what a refund takes back of them, when the
    order was placed.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="points_entries")
    source = models.CharField(max_length=100)
    points = models.IntegerField()
    reason = models.CharField(max_length=200, blank=True)
    earned_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = Ledger.as_manager()

    class Meta:
        unique_together = [("customer", "source")]
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["customer", "earned_at"], name="points_earned")]
        verbose_name_plural = "points entries"

    def __str__(self) -> str:
        return f"{self.points:+d} for {self.source}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly


class TierChange(models.Model):
    """A step from tier to tier: the points of the year before it, and the source that brought it, or `review`."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tier_changes")
    from_tier = models.CharField(max_length=10, choices=Tier.choices)
    to_tier = models.CharField(max_length=10, choices=Tier.choices)
    points = models.IntegerField()
    reason = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.from_tier} → {self.to_tier}"


class Benefit(models.Model):
    """What a tier gives. `value` is a percentage for a discount, else unused.

    Redeeming it takes `cost` points; `limit_per_year` is how many of its kind a customer redeems within a year, in
    whatever tier; null for any number.
    """

    class Kind(models.TextChoices):
        DISCOUNT = "discount"
        FREE_SHIPPING = "free_shipping"
        EARLY_ACCESS = "early_access"
        BIRTHDAY_GIFT = "birthday_gift"

    tier = models.CharField(max_length=10, choices=Tier.choices)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    value = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    cost = models.PositiveIntegerField(default=0)
    limit_per_year = models.PositiveIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        unique_together = [("tier", "kind")]
        constraints = [models.CheckConstraint(condition=models.Q(value__lte=100), name="benefit_value_is_a_percentage")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.name}"


class Redemption(models.Model):
    """A benefit that a customer took, as it was then; `code` is good until `expires_at`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="redemptions")
    benefit = models.ForeignKey(Benefit, on_delete=models.SET_NULL, null=True, related_name="redemptions")
    kind = models.CharField(max_length=20, choices=Benefit.Kind.choices)
    value = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=20, unique=True)
    points_spent = models.PositiveIntegerField()
    redeemed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-redeemed_at", "id"]
        indexes = [models.Index(fields=["customer", "kind", "redeemed_at"], name="redeemed_lately")]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"
