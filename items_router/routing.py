"""Which item service a request goes to: by `?type=`, a posted body's `type`, an id's prefix, or a typed path."""

from items_router.recommending import seen
from shopkit import topology
from shopkit.errors import Invalid
from shopkit.proxied import asgi_application
from shopkit.proxy import Forward, Proxy, Request

_TYPES = topology.by_item_type()
_PATHS = {path: service for path, service in topology.by_path().items() if service.item_type}


async def pick(request: Request) -> Forward | None:
    """The item service; None for what this router answers itself: combined lists and collections."""
    parts = request.path.strip("/").split("/")
    if parts[3:] == ["similar"]:
        return None
    segment = topology.api_segment(request.path)
    if request.method == "GET" and len(parts) == 3 and parts[2].partition("_")[0] in _TYPES:
        seen.note(request.header, parts[2])
    if segment in _PATHS:
        return Forward(_PATHS[segment].name, request.path)
    if segment not in ("items", "products"):
        return None
    return _by_id(parts[2], request) if len(parts) > 2 else await _by_type(request)


def _by_id(item_id: str, request: Request) -> Forward | None:
    service = _TYPES.get(item_id.partition("_")[0])
    return Forward(service.name, request.path) if service else None


async def _by_type(request: Request) -> Forward | None:
    if request.method == "POST":
        return _forward(await _posted_type(request), request)
    asked = request.query_params().get("type")
    return _forward(asked[0], request) if asked else None


async def _posted_type(request: Request) -> object:
    body = await request.json()
    return body.get("type") if isinstance(body, dict) else None


def _forward(item_type: object, request: Request) -> Forward:
    if not isinstance(item_type, str) or item_type not in _TYPES:
        message = f"type must be one of {', '.join(sorted(_TYPES))}."
        raise Invalid(message, code="unknown_item_type", details={"type": [message]})
    return Forward(_TYPES[item_type].name, request.path)


def application() -> Proxy:
    return asgi_application("items_router", pick)
