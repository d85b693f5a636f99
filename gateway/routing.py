"""Which service a request at the gateway goes to: the first segment after `/api/` says it."""

from functools import cache

from gateway import limits
from gateway.cache import PublicCache, is_detail, is_public
from gateway.last_write import LastWrite
from shopkit import topology
from shopkit.auth import ANONYMOUS, Identity, identify
from shopkit.config import config
from shopkit.errors import ShopError
from shopkit.exchange import SAFE
from shopkit.proxied import application_of
from shopkit.proxy import Forward, Proxy, Request

_CHANGE_ITEMS = ("items_router", "order_service")  # an order takes stock
_DOORS = {path: service.behind or service.name for path, service in topology.by_path().items()}


def pick(request: Request) -> Forward | None:
    """The router or service in front of what is asked for; None for what the gateway answers itself.

    A caller with a token that can't be believed comes no further, except to where there are new ones to be had.
    """
    segment = topology.api_segment(request.path)
    try:
        caller = identify(request.header) if segment and segment != "auth" else ANONYMOUS
    except ShopError:
        limits.count(request)  # guessing has its limit too
        raise
    limits.count(request, subject=_subject(caller))
    return _forward(_DOORS[segment], request, caller) if segment in _DOORS else None


def _forward(service: str, request: Request, caller: Identity) -> Forward:
    """Straight on; what is public by way of the cache, which writes that could change it drop.

    A customer who looks at one item is passed on: what they viewed counts.
    """
    if request.method not in SAFE and service in _CHANGE_ITEMS:
        return Forward(service, request.path, then=_cache().dropped)
    if not (caller.customer_id and is_detail(request.path)) and is_public(request):
        return Forward(service, request.path, given_by=_cache().give)
    return Forward(service, request.path)


@cache
def _cache() -> PublicCache:
    return PublicCache(LastWrite(config().data / "gateway" / "last_write"))


def _subject(caller: Identity) -> str | None:
    """Whom to count; guests by their address, since anybody can be as many guests as they like."""
    return None if caller.customer_type == "guest" else caller.customer_id


def application() -> Proxy:
    return application_of("gateway", pick, outermost=True)
