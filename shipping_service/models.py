"""Shipments, where they may go, and where they have been."""

import secrets

from django.db import models
from django.db.models import Q

from shopkit.versioned import Tracked

MAX_WEIGHT_G = 1_000_000


class Method(models.TextChoices):
    STANDARD = "standard"
    EXPRESS = "express"


class Status(models.TextChoices):
    LABEL_CREATED = "label_created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"


TRANSITIONS: dict[str, frozenset[str]] = {
    Status.LABEL_CREATED: frozenset({Status.PICKED_UP, Status.FAILED}),
    Status.PICKED_UP: frozenset({Status.IN_TRANSIT, Status.FAILED, Status.RETURNED}),
    Status.IN_TRANSIT: frozenset({Status.OUT_FOR_DELIVERY, Status.FAILED, Status.RETURNED}),
    Status.OUT_FOR_DELIVERY: frozenset({Status.DELIVERED, Status.FAILED, Status.RETURNED}),
    Status.DELIVERED: frozenset({Status.RETURNED}),
    Status.FAILED: frozenset({Status.RETURNED}),
    Status.RETURNED: frozenset(),
}
"""The one table of where a shipment may go from where it is."""
DELETABLE = frozenset({Status.LABEL_CREATED})


def new_tracking_number() -> str:
    """`PS`, twelve random digits and their check digit (Luhn, ISO/IEC 7812-1 annex B)."""
    digits = f"{secrets.randbelow(10**12):012}"
    return f"PS{digits}{check_digit(digits)}"


def check_digit(digits: str) -> int:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[::-2]]
    return -(sum(doubled) + sum(map(int, digits[-2::-2]))) % 10


class Shipment(Tracked):
    """The one parcel of an order. `look_at` is when the simulated carrier moves it next; one made by staff, never.

    `customer_type` is what the customer was when they ordered, empty where staff made it: who may see it goes by that.
    """

    order_id = models.UUIDField(unique=True)
    customer_id = models.CharField(max_length=64, null=True, blank=True)
    customer_type = models.CharField(max_length=20, blank=True)
    tracking_number = models.CharField(max_length=15, unique=True, default=new_tracking_number)
    method = models.CharField(max_length=20, choices=Method)
    address = models.JSONField()
    weight_g = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=Status, default=Status.LABEL_CREATED)
    look_at = models.DateTimeField(null=True, editable=False, db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "created_at"], name="shipment_customer"),
            models.Index(fields=["status", "created_at"], name="shipment_status"),
            models.Index(fields=["created_at"], name="shipment_created"),
        ]
        constraints = [models.CheckConstraint(condition=Q(weight_g__gte=1), name="shipment_weight_positive")]

    def __str__(self) -> str:
        return self.tracking_number


class CarrierEvent(models.Model):
    """What the carrier sent, as it came, once for each of its event ids."""

    event_id = models.CharField(max_length=100, unique=True)
    raw = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.event_id


class ShipmentEvent(models.Model):
    """One step of a shipment; written with the step, never changed."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=20, choices=Status)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.status
