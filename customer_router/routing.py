"""Which customer service a request goes to: a typed path says it, else `X-Customer-Type`, else the caller's token.

What concerns two of them, the router answers itself: moves from one to the other, and guests who prove to be somebody.
"""

from shopkit import topology
from shopkit.auth import customer_type, identify
from shopkit.proxied import application_of
from shopkit.proxy import Forward, Proxy, Request

_TYPES = topology.by_customer_type()
_PATHS = {path: service for path, service in topology.by_path().items() if service.customer_type}
_MOVES = ("upgrade", "downgrade")


def pick(request: Request) -> Forward | None:
    """The customer service; None for what the router answers itself. A caller who names no type is a guest."""
    segments = request.path.strip("/").split("/")
    if segments[0] != "api" or (segments[3:] and segments[3] in _MOVES):
        return None
    if segments[1:2] == ["auth"]:
        return _auth(request, segments[2] if segments[2:] else "")
    if segments[1:2] == ["customers"]:
        caller = identify(request.header)
        kind = customer_type(request.header("x-customer-type")) or caller.customer_type
        return Forward(_TYPES[kind].name, request.path)
    return Forward(_PATHS[segments[1]].name, request.path) if segments[1:] and segments[1] in _PATHS else None


def _auth(request: Request, call: str) -> Forward | None:
    if call in ("refresh", "logout"):
        return Forward(_issuer(request), request.path)
    if call in (".well-known", "login", "verify-email") and not request.path.endswith("/resend/"):
        return None
    return Forward(_TYPES["guest" if call == "guest" else "registered"].name, request.path)


def _issuer(request: Request) -> str:
    """The service that a refresh token names; who gives none is told so by the one that has the accounts."""
    body = request.json()
    refresh = body.get("refresh") if isinstance(body, dict) else None
    named = str(refresh).partition(".")[0]
    return named if named in topology.SERVICES and topology.service(named).issues else _TYPES["registered"].name


def application() -> Proxy:
    return application_of("customer_router", pick)
