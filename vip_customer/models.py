"""VIPs, their addresses and views, their points, and the benefits of each tier."""

from django.core.validators import MaxValueValidator
from django.db import models

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


class PointsEntry(models.Model):
    """A line of the ledger, never changed. `source` names what earned or cost the points, and counts once."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="points_entries")
    source = models.CharField(max_length=100)
    points = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        unique_together = [("customer", "source")]
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "points entries"

    def __str__(self) -> str:
        return f"{self.points:+d} for {self.source}"


class Benefit(models.Model):
    """What a tier gives. `value` is a percentage for a discount, else unused."""

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
    active = models.BooleanField(default=True)

    class Meta:
        unique_together = [("tier", "kind")]
        constraints = [models.CheckConstraint(condition=models.Q(value__lte=100), name="benefit_value_is_a_percentage")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.name}"
