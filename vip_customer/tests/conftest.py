"""A VIP, and the order service as it tells of their orders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from shopkit.auth import Identity
from shopkit.testing import Caller, caller
from vip_customer.models import Customer

Tells = Callable[..., Response]


@pytest.fixture
def vip() -> Customer:
    return Customer.objects.create(id="456", email="vip@example.com")


@pytest.fixture
def me() -> Caller:
    return caller("456", "vip")


@pytest.fixture
def tell() -> Tells:
    """Tells of an order of 456's, `days` ago, paid unless said otherwise."""

    def told(order_id: str = "o1", *, days: int = 0, **changes: Any) -> Response:
        order = {"order_id": order_id, "version": 4, "status": "paid", "total": 0, "goods": 0, "refunded": 0}
        placed = timezone.now() - timedelta(days=days)
        client = APIClient()
        client.force_authenticate(user=Identity(service="customer_router"))
        body = {**order, "currency": "USD", "placed_at": placed.isoformat(), **changes}
        return client.post("/internal/customers/456/orders/", body, format="json")

    return told
