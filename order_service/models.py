"""Orders, their lines and what happened to them. Money is in minor units."""

from django.db import models
from django.db.models import F, Q

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
DELETABLE = frozenset({Status.PENDING, Status.CANCELLED, Status.EXPIRED})


class Order(Tracked):
    """What was bought, at the prices of that moment. A cart becomes at most one order."""

    customer_id = models.CharField(max_length=64, null=True, blank=True)
    customer_type = models.CharField(max_length=20)
    email = models.EmailField(blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField()
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    total = models.BigIntegerField()
    shipping_address = models.JSONField()
    shipping_method = models.CharField(max_length=20, choices=ShippingMethod)
    cart_id = models.UUIDField(unique=True, null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "created_at"], name="order_customer"),
            models.Index(fields=["status", "created_at"], name="order_status"),
            models.Index(fields=["created_at"], name="order_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("shipping") + F("tax")), name="order_total_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, shipping__gte=0, tax__gte=0), name="order_amounts_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class OrderLine(models.Model):
    """One item of an order, with its name and price as they were in the cart."""

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
    def line_total(self) -> int:
        return self.unit_price * self.quantity


class OrderEvent(models.Model):
    """One step of an order's history; written with the step, never changed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=40)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
