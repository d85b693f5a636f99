"""Whom shipments tell where they are."""

from typing import Any

from shopkit import http


def tell_order(*, shipment: dict[str, Any]) -> None:
    http.call("POST", "order_service", "/internal/shipment-events/", json=shipment)
