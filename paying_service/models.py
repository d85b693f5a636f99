"""Payments and where they may go. Money is in minor units; card numbers and tokens have no column here."""

from django.db import models
from django.db.models import Q

from shopkit.versioned import Tracked


class Provider(models.TextChoices):
    SIMULATED = "simulated"
    STRIPE = "stripe"
    RAZORPAY = "razorpay"


class Method(models.TextChoices):
    CARD = "card"
    UPI = "upi", "UPI"
    NETBANKING = "netbanking"
    WALLET = "wallet"


class Status(models.TextChoices):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    FAILED = "failed"


# Providers' news come in any order, so that a step may be skipped; none is ever taken back.
TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset(
        {Status.REQUIRES_ACTION, Status.AUTHORISED, Status.CAPTURED, Status.VOIDED, Status.FAILED}
    ),
    Status.REQUIRES_ACTION: frozenset({Status.AUTHORISED, Status.CAPTURED, Status.VOIDED, Status.FAILED}),
    Status.AUTHORISED: frozenset({Status.CAPTURED, Status.VOIDED, Status.FAILED}),
    Status.CAPTURED: frozenset({Status.PARTIALLY_REFUNDED, Status.REFUNDED}),
    Status.PARTIALLY_REFUNDED: frozenset({Status.REFUNDED}),
    Status.REFUNDED: frozenset(),
    Status.VOIDED: frozenset(),
    Status.FAILED: frozenset(),
}
"""The one table of where a payment may go from where it is: forward only."""
DELETABLE = frozenset({Status.PENDING, Status.FAILED})


class Payment(Tracked):
    """An amount asked for an order through a provider."""

    order_id = models.UUIDField()
    customer_id = models.CharField(max_length=64, null=True, blank=True)
    provider = models.CharField(max_length=20, choices=Provider)
    method = models.CharField(max_length=20, choices=Method)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)

    class Meta:
        indexes = [
            models.Index(fields=["order_id", "created_at"], name="payment_order"),
            models.Index(fields=["customer_id", "created_at"], name="payment_customer"),
            models.Index(fields=["status", "created_at"], name="payment_status"),
            models.Index(fields=["created_at"], name="payment_created"),
        ]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=1), name="payment_amount_positive")]

    def __str__(self) -> str:
        return str(self.id)
