"""Which customer service a request goes to: a typed path says it, else `X-Customer-Type`."""

from shopkit import topology
from shopkit.auth import customer_type
from shopkit.proxied import asgi_application
from shopkit.proxy import Forward, Proxy, Request

_TYPES = topology.by_customer_type()
_PATHS = {path: service for path, service in topology.by_path().items() if service.customer_type}


async def pick(request: Request) -> Forward | None:
    """The customer service; a caller who names no type is a guest."""
    segment = topology.api_segment(request.path)
    if segment in _PATHS:
        return Forward(_PATHS[segment].name, request.path)
    if segment != "customers":
        return None
    return Forward(_TYPES[customer_type(request.header("x-customer-type")) or "guest"].name, request.path)


def application() -> Proxy:
    return asgi_application("customer_router", pick)
