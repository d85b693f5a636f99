"""Whom payments tell what became of them."""

from typing import Any

from shopkit import http


def tell_order(*, payment: dict[str, Any]) -> None:
    """What a payment of an order's is now; amounts in minor units."""
    http.call("POST", "order_service", "/internal/payment-events/", json=payment)
