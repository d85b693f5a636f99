"""Custom orders: what somebody asks to have made for them, what staff said to it, and its pictures."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from shopkit.versioned import Tracked


class CustomStatus(models.TextChoices):
    PENDING = "pending"
    QUOTED = "quoted"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


CUSTOM_TRANSITIONS: dict[str, frozenset[str]] = {
    CustomStatus.PENDING: frozenset({CustomStatus.QUOTED, CustomStatus.REJECTED}),
    CustomStatus.QUOTED: frozenset(
        {CustomStatus.QUOTED, CustomStatus.APPROVED, CustomStatus.REJECTED, CustomStatus.EXPIRED}
    ),
    # back to quoted when the payment failed: it may be approved again
    CustomStatus.APPROVED: frozenset(
        {
            CustomStatus.PAID,
            CustomStatus.QUOTED,
            CustomStatus.REJECTED,
            CustomStatus.EXPIRED,
            CustomStatus.CANCELLED,
        }
    ),
    CustomStatus.PAID: frozenset(),
    CustomStatus.REJECTED: frozenset(),
    CustomStatus.EXPIRED: frozenset(),
    CustomStatus.CANCELLED: frozenset(),
}
"""The one table of where a custom order may go from where it is."""


class CustomOrder(Tracked):
    """A wish, its quote (`price` in minor units, `note`, good until `valid_until`), and the order it has become.

    `order` is the last one made of it: where a payment failed, the next approval makes another. `payment_url` is the
    provider's page, an address or a path of ours.
    """

    customer_id = models.CharField(max_length=64, null=True, blank=True)
    customer_type = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    email = models.EmailField()
    description = models.TextField()
    shipping_address = models.JSONField(null=True, blank=True)
    shipping_method = models.CharField(max_length=20)
    status = models.CharField(max_length=20, choices=CustomStatus, default=CustomStatus.PENDING)
    price = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    note = models.TextField(blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    order = models.OneToOneField(
        "order_service.Order", on_delete=models.SET_NULL, null=True, blank=True, related_name="custom"
    )
    payment_url = models.CharField(max_length=1000, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "created_at"], name="custom_customer"),
            models.Index(fields=["status", "valid_until"], name="custom_status"),
            models.Index(fields=["created_at"], name="custom_created"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=1) | Q(price=None), name="custom_price_positive"),
            models.CheckConstraint(
                condition=Q(status__in=("pending", "rejected")) | Q(price__isnull=False, valid_until__isnull=False),
                name="custom_quote_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def secret(self) -> str:
        """Opens it to whoever has its link; kept nowhere."""
        return salted_hmac("order_service.custom_orders", str(self.pk), algorithm="sha256").hexdigest()

    def opens_with(self, secret: str | None) -> bool:
        return constant_time_compare(secret or "", self.secret)


class CustomImage(models.Model):
    """A picture of a custom order; `file` is its name in the storage, which says nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    custom = models.ForeignKey(CustomOrder, on_delete=models.CASCADE, related_name="images")
    position = models.PositiveSmallIntegerField()
    file = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.file


class CustomEvent(models.Model):
    """One step of a custom order's history; written with the step, never changed. `by` is the member of staff."""

    custom = models.ForeignKey(CustomOrder, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=40)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    by = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
