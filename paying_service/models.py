"""Payments and where they may go. Money is in minor units; card numbers and tokens have no column here."""

from django.db import models
from django.db.models import F, Q

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
    """An amount asked for an order through a provider.

    `handle` is the provider's own name for the card, or where the customer gives it: on the provider's page (`HOSTED`)
    or in the shop's, by the provider's script (`INTENT`). `provider_ref` is its name for what is paid on, known before
    anything is charged. `void_asked` says that nothing is owed any more: a success that comes later is given back.
    """

    HOSTED, INTENT = "hosted", "intent"

    order_id = models.UUIDField()
    customer_id = models.CharField(max_length=64, null=True, blank=True)
    customer_type = models.CharField(max_length=20, blank=True)
    handle = models.CharField(max_length=100, blank=True, editable=False)
    provider_ref = models.CharField(max_length=200, blank=True, editable=False)
    captured = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_message = models.CharField(max_length=200, blank=True)
    action_url = models.CharField(max_length=1000, blank=True)
    void_asked = models.BooleanField(default=False, editable=False)
    look_at = models.DateTimeField(null=True, editable=False, db_index=True)
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
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="payment_amount_positive"),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~Q(provider_ref=""), name="payment_provider_ref"
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=0, refunded__gte=0, refunded__lte=F("captured"), captured__lte=F("amount")),
                name="payment_amounts_fit",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Refund(models.Model):
    """What was given back of a payment, under the id by which it was asked for: repeated, it is the same one.

    `failure` is why its provider could not make it after all; `again` how much of it makes up for others that failed.
    """

    id = models.UUIDField(primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    again = models.BigIntegerField(default=0)
    done = models.BooleanField(default=False)
    failure = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gte=1), name="refund_amount_positive")]

    def __str__(self) -> str:
        return str(self.id)


class Due(models.Model):
    """What an order that nobody has paid for yet costs, as the order service said: what its customer may pay."""

    order_id = models.UUIDField(primary_key=True)
    customer_id = models.CharField(max_length=64, null=True)
    customer_type = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return str(self.order_id)


class WebhookEvent(models.Model):
    """What a provider sent, as it came, once for each of its event ids."""

    provider = models.CharField(max_length=20, choices=Provider)
    event_id = models.CharField(max_length=100)
    raw = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        unique_together = [("provider", "event_id")]

    def __str__(self) -> str:
        return self.event_id


class SimulatedCharge(models.Model):
    """A line in the simulated provider's own books, which nothing but that provider's own modules reads or writes."""

    key = models.CharField(primary_key=True, max_length=100)
    handle = models.CharField(max_length=100)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    status = models.CharField(max_length=20)
    captured = models.BigIntegerField(default=0)
    refunds = models.JSONField(default=dict)
    ready_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key

    @property
    def refunded(self) -> int:
        return sum(self.refunds.values())

    @property
    def shown_status(self) -> str:
        """The status as a payment has it, with what was given back."""
        if not self.refunded:
            return self.status
        return Status.REFUNDED if self.refunded == self.captured else Status.PARTIALLY_REFUNDED


class StripeProduct(models.Model):
    """An item as Stripe has it: its product, its present price, and the one before until that is archived."""

    item_id = models.CharField(primary_key=True, max_length=100)
    product_id = models.CharField(max_length=100)
    price_id = models.CharField(max_length=100, blank=True)
    stale_price_id = models.CharField(max_length=100, blank=True)
    shown = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.item_id
