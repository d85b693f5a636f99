"""Which service a request at the gateway goes to: the first segment after `/api/` says it."""

from gateway import limits
from shopkit import topology
from shopkit.auth import Identity, identify
from shopkit.errors import ShopError
from shopkit.proxied import asgi_application
from shopkit.proxy import Forward, Proxy, Request

_DOORS = {path: service.behind or service.name for path, service in topology.by_path().items()}


async def pick(request: Request) -> Forward | None:
    """The router or service in front of what is asked for; None for what the gateway answers itself.

    A caller with a token that can't be believed comes no further, except to where there are new ones to be had.
    """
    segment = topology.api_segment(request.path)
    try:
        subject = _subject(identify(request.header)) if segment and segment != "auth" else None
    except ShopError:
        await limits.count(request)  # guessing has its limit too
        raise
    await limits.count(request, subject=subject)
    return Forward(_DOORS[segment], request.path) if segment in _DOORS else None


def _subject(caller: Identity) -> str | None:
    """Whom to count; guests by their address, since anybody can be as many guests as they like."""
    return None if caller.customer_type == "guest" else caller.customer_id


def application() -> Proxy:
    return asgi_application("gateway", pick, outermost=True)
