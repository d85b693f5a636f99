"""What the gateway itself asks of the services behind it."""

from typing import Any

from shopkit import http
from shopkit.errors import ShopError
from shopkit.topology import Service

READY_SECONDS = 3.0  # a service that takes longer to say so is not ready


def schema(service: Service) -> dict[str, Any] | None:
    """The service's OpenAPI document, or None while it is not there."""
    try:
        with http.understanding(service.name):
            return dict(http.get(service.name, "/api/schema/"))
    except ShopError:
        return None


def is_ready(service: Service) -> bool:
    try:
        http.call("GET", service.name, "/health/ready", read_seconds=READY_SECONDS)
    except ShopError:
        return False
    return True
