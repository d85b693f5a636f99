"""Carts and their lines. Money is in minor units."""

import uuid

from django.db import models
from django.db.models import Q

from shopkit.versioned import Versioned

MAX_QUANTITY = 999
MAX_LINES = 100


class Cart(Versioned):
    """What one customer means to buy. Without an owner it belongs to whoever knows its id.

    One that has become an order, or has been put into another (`merged_into`), is of the past. What became of its
    lines there is in `merge_report`, if it was asked for.
    """

    owner_id = models.CharField(max_length=64, null=True, blank=True)
    owner_type = models.CharField(max_length=20)
    currency = models.CharField(max_length=3, default="USD")
    ordered_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, editable=False)
    merge_report = models.JSONField(default=list, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["owner_id", "created_at"], name="cart_owner"),
            models.Index(fields=["created_at"], name="cart_created"),
            models.Index(fields=["updated_at"], name="cart_updated"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class CartLine(models.Model):
    """One item of a cart, with its name and price as they were when it was last put in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    item_id = models.CharField(max_length=100)
    item_type = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    unit_price = models.BigIntegerField()
    quantity = models.PositiveSmallIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "item_id"], name="cart_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY), name="cart_line_quantity"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="cart_line_price"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"
