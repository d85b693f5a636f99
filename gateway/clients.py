"""What the gateway itself asks of the services behind it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from shopkit import http
from shopkit.errors import ShopError
from shopkit.topology import Service

T = TypeVar("T")
READY_SECONDS = 3.0  # a service that takes longer to say so is not ready


def schema(service: Service) -> dict[str, Any] | None:
    """The service's OpenAPI document, or None while it is not there."""
    try:
        return dict(http.get(service.name, "/api/schema/"))
    except ShopError:
        return None


def is_ready(service: Service) -> bool:
    try:
        http.call("GET", service.name, "/health/ready", read_seconds=READY_SECONDS)
    except ShopError:
        return False
    return True


def of_each(services: Iterable[Service], ask: Callable[[Service], T]) -> dict[str, T]:
    """`ask` of all services at once: name → answer."""
    asked = list(services)
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        futures = {service.name: pool.submit(copy_context().run, ask, service) for service in asked}
        return {name: future.result() for name, future in futures.items()}
