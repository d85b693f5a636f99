"""Which item service a request goes to: by `?type=`, a posted body's `type`, an id's prefix, or a typed path."""

import asyncio
from collections.abc import Callable
from functools import partial

from items_router import passing
from items_router.catalogue import sources
from items_router.recommending import seen
from shopkit import topology
from shopkit.errors import Invalid, Unavailable
from shopkit.proxied import application_of
from shopkit.proxy import Forward, Proxy, Request
from shopkit.topology import Service

_TYPES = topology.by_item_type()
_KIND_OF = {service.name: kind for kind, service in _TYPES.items()}
Observe = Callable[[str, str, int, float], None]
_PATHS = {path: service for path, service in topology.by_path().items() if service.item_type}


def pick(request: Request) -> Forward | None:
    """The item service; None for what this router answers itself: what is in its catalogue, and collections."""
    parts = request.path.strip("/").split("/")
    if parts[3:] == ["similar"]:
        request.path = f"/api/items/{parts[2]}/similar/"  # where this router has it
        return None
    segment = topology.api_segment(request.path)
    if request.method == "GET" and len(parts) == 3 and parts[2].partition("_")[0] in _TYPES:
        seen.note(request.header, parts[2])
    if segment in _PATHS:
        return _to(_PATHS[segment], request, parts)
    if segment not in ("items", "products"):
        return None
    if len(parts) > 2:
        service = _TYPES.get(parts[2].partition("_")[0])
        return _to(service, request, parts) if service else None
    return _by_type(request, parts)


def _to(service: Service, request: Request, parts: list[str]) -> Forward | None:
    """With what the catalogue has to do with it: it hears of writes, and answers for a service that is not there."""
    kind = service.item_type or ""
    source, path = sources.lately()[kind], request.path
    item_id = parts[2] if len(parts) > 2 and parts[2].startswith(f"{kind}_") else None
    one = item_id is not None and len(parts) == 3 and request.method in ("GET", "HEAD")
    if one:
        request.path = f"/api/items/{item_id}/"  # where this router has it
    if one and source.silent:
        return None
    if source.given_up:
        raise Unavailable(f"{service.name} is not available; try again soon.", headers={"Retry-After": "1"})
    if request.method not in passing.SAFE:
        return Forward(service.name, path, then=passing.learning(service.name, item_id))
    return Forward(service.name, path, or_local=one)


def _by_type(request: Request, parts: list[str]) -> Forward | None:
    if request.method == "POST":
        return _to(_service(_posted_type(request)), request, parts)
    asked = request.query_params().get("type", [""])[0]
    if not asked or "," in asked:
        return None
    return _to(_service(asked), request, parts)


def _posted_type(request: Request) -> object:
    body = request.json()
    return body.get("type") if isinstance(body, dict) else None


def _service(item_type: object) -> Service:
    if not isinstance(item_type, str) or item_type not in _TYPES:
        message = f"type must be one of {', '.join(sorted(_TYPES))}."
        raise Invalid(message, code="unknown_item_type", details={"type": [message]})
    return _TYPES[item_type]


def application() -> Proxy:
    proxy = application_of("items_router", pick)
    proxy.missed = _missed
    proxy.observe = partial(_observed, proxy.observe)
    return proxy


def _observed(observe: Observe, method: str, service: str, status: int, seconds: float) -> None:
    observe(method, service, status, seconds)
    if status < 400 and (kind := _KIND_OF.get(service)):  # others may be our own
        sources.heard(kind)


def _missed(service: str) -> None:
    """The lists are to say so at once."""
    kind = topology.service(service).item_type or ""
    if not sources.lately()[kind].silent:
        asyncio.get_running_loop().run_in_executor(None, sources.failed, kind)
