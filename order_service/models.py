"""Orders, their lines and what happened to them. Money is in minor units."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from order_service.custom_models import CustomEvent as CustomEvent
from order_service.custom_models import CustomImage as CustomImage
from order_service.custom_models import CustomOrder as CustomOrder
from shopkit.versioned import Tracked


class Status(models.TextChoices):
    PENDING = "pending"
    RESERVED = "reserved"
    AUTHORISED = "authorised"
    PAID = "paid"
    FULFILLING = "fulfilling"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PAYMENT_FAILED = "payment_failed"
    REFUNDED = "refunded"


class ShippingMethod(models.TextChoices):
    STANDARD = "standard"
    EXPRESS = "express"


TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({Status.RESERVED, Status.CANCELLED, Status.EXPIRED}),
    Status.RESERVED: frozenset({Status.AUTHORISED, Status.CANCELLED, Status.EXPIRED, Status.PAYMENT_FAILED}),
    Status.AUTHORISED: frozenset({Status.PAID, Status.CANCELLED, Status.PAYMENT_FAILED}),
    # money has been taken: from here on forward, or back to the customer
    Status.PAID: frozenset({Status.FULFILLING, Status.REFUNDED}),
    Status.FULFILLING: frozenset({Status.SHIPPED, Status.REFUNDED}),
    Status.SHIPPED: frozenset({Status.DELIVERED, Status.REFUNDED}),
    Status.DELIVERED: frozenset({Status.REFUNDED}),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.PAYMENT_FAILED: frozenset(),
    Status.REFUNDED: frozenset(),
}
"""The one table of where an order may go from where it is."""
DELETABLE = frozenset({Status.CANCELLED, Status.EXPIRED})


class Order(Tracked):
    """What was bought, at the prices of that moment. A cart becomes at most one order.

    `charges` are the lines beside the goods, as they add up to `discount`, `shipping` and `tax`.
    """

    customer_id = models.CharField(max_length=64, null=True, blank=True)
    customer_type = models.CharField(max_length=20)
    email = models.EmailField(blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    total = models.BigIntegerField()
    charges = models.JSONField(default=list, editable=False)
    weight_g = models.PositiveIntegerField(default=0, editable=False)
    shipping_address = models.JSONField()
    shipping_method = models.CharField(max_length=20, choices=ShippingMethod)
    cart_id = models.UUIDField(unique=True, null=True, blank=True)
    placed_by = models.CharField(max_length=64, blank=True, editable=False)  # the request, if it can be repeated
    payment_id = models.UUIDField(unique=True, null=True, blank=True, editable=False)
    refunded = models.BigIntegerField(default=0, editable=False)
    tracking_number = models.CharField(max_length=40, blank=True, editable=False)
    told_version = models.PositiveIntegerField(default=0, editable=False)  # that its customer's service knows of

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "created_at"], name="order_customer"),
            models.Index(fields=["status", "created_at"], name="order_status"),
            models.Index(fields=["created_at"], name="order_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("discount") + F("shipping") + F("tax")),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("subtotal"), shipping__gte=0, tax__gte=0),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(condition=Q(refunded__gte=0, refunded__lte=F("total")), name="order_refund_fits"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def goods(self) -> int:
        """What the goods cost after the discount, without shipping and tax."""
        return self.subtotal - self.discount


class OrderLine(models.Model):
    """One item of an order, with its name and price as they were in the cart; or a piece made to order (`CUSTOM`)."""

    CUSTOM = "custom"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    item_id = models.CharField(max_length=100)
    item_type = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    unit_price = models.BigIntegerField()
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "item_id"], name="order_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1, unit_price__gte=0), name="order_line_amounts"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def has_stock(self) -> bool:
        """Whether an item service keeps it; what is made to order, none does."""
        return self.item_type != self.CUSTOM

    @property
    def line_total(self) -> int:
        return self.unit_price * self.quantity


class OrderEvent(models.Model):
    """One step of an order's history; written with the step, never changed. `outcome` says how a step ended.

    `amount` is what was given back with it, in minor units.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=40)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    outcome = models.CharField(max_length=60, blank=True)
    amount = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class DailyReport(models.Model):
    """What was sold and given back on a day, by UTC, in one currency; `reports.py` says how it is counted.

    `by_type` is `{type: {items, gross}}`, `top_items` `[{item_id, name, items, gross}]`; both of goods alone.
    """

    day = models.DateField()
    currency = models.CharField(max_length=3)
    orders = models.PositiveIntegerField()
    items = models.PositiveIntegerField()
    gross = models.BigIntegerField()
    refunds = models.BigIntegerField()
    net = models.BigIntegerField()
    by_type = models.JSONField()
    top_items = models.JSONField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-day", "currency"]
        constraints = [models.UniqueConstraint(fields=["day", "currency"], name="daily_report_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"


class Saga(models.Model):
    """How far an order's checkout is. Written with the order, in one transaction: the database is the truth.

    `step` is what to do next, `goal` the status that an order which is being undone shall have. Who claims it
    raises `fence`, and writes under it only. `next_at` is when it is due.
    """

    class Step(models.TextChoices):
        RESERVE = "reserve"
        AUTHORISE = "authorise"
        COMMIT = "commit"
        CAPTURE = "capture"
        SHIP = "ship"
        UNDO_PAYMENT = "undo_payment"
        UNDO_STOCK = "undo_stock"
        DONE = "done"

    order = models.OneToOneField(Order, on_delete=models.CASCADE, primary_key=True, related_name="saga")
    step = models.CharField(max_length=20, choices=Step.choices, default=Step.RESERVE)
    goal = models.CharField(max_length=20, choices=Status.choices, blank=True)
    cancel_asked = models.BooleanField(default=False)
    attempt = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    pay_until = models.DateTimeField()
    lease_until = models.DateTimeField(default=timezone.now)
    fence = models.PositiveIntegerField(default=0)
    shipment_id = models.UUIDField(default=uuid.uuid4, editable=False)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["step", "next_at"], name="saga_due")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.step}"
