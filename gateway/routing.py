"""Which service a request at the gateway goes to: the first segment after `/api/` says it."""

from gateway import limits
from shopkit import topology
from shopkit.proxied import asgi_application
from shopkit.proxy import Forward, Proxy, Request

_DOORS = {path: service.behind or service.name for path, service in topology.by_path().items()}


async def pick(request: Request) -> Forward | None:
    """The router or service in front of what is asked for; None for what the gateway answers itself."""
    await limits.count(request)
    segment = topology.api_segment(request.path)
    return Forward(_DOORS[segment], request.path) if segment in _DOORS else None


def application() -> Proxy:
    return asgi_application("gateway", pick, outermost=True)
