"""Which item service a request goes to: by `?type=`, a posted body's `type`, an id's prefix, or a typed path."""

import asyncio
from collections.abc import Callable
from functools import partial

from items_router import passing
from items_router.catalogue import sources
from items_router.recommending import seen
from shopkit import topology
from shopkit.errors import Invalid, Unavailable
from shopkit.exchange import SAFE
from shopkit.passage import Passed
from shopkit.proxied import application_of
from shopkit.proxy import Forward, Proxy, Request
from shopkit.topology import Service

_TYPES = topology.by_item_type()
_KIND_OF = {service.name: kind for kind, service in _TYPES.items()}
_ROOTS = ("items", "products")
_PATHS = {path: service for path, service in topology.by_path().items() if service.item_type}


def pick(request: Request) -> Forward | None:
    """The item service; None for what this router answers itself: what is in its catalogue, and collections."""
    parts = request.path.strip("/").split("/")
    if parts[3:] == ["similar"]:
        request.path = f"/api/items/{parts[2]}/similar/"  # where this router has it
        return None
    segment = parts[1] if len(parts) > 1 and parts[0] == "api" else ""
    service = _PATHS.get(segment)
    if len(parts) > 2:
        kind = parts[2].partition("_")[0]
        if len(parts) == 3 and kind in _TYPES and request.method == "GET":
            seen.note(request.header, parts[2])
        if service is None and segment in _ROOTS:
            service = _TYPES.get(kind)
    elif segment in _ROOTS:
        service = _by_type(request)
    return _to(service, request, parts) if service else None


def _to(service: Service, request: Request, parts: list[str]) -> Forward | None:
    """With what the catalogue has to do with it: it hears of writes, and answers for a service that is not there."""
    item_id = parts[2] if len(parts) > 2 and parts[2].startswith(f"{service.item_type}_") else None
    lately = sources.lately()
    if item_id is not None and len(parts) == 3 and request.method in ("GET", "HEAD"):
        here = f"/api/items/{item_id}/"  # where this router has it
        if service.item_type in lately.silent:
            request.path = here
            return None
    else:
        here = None
    if service.item_type in lately.given_up:
        raise Unavailable(f"{service.name} is not available; try again soon.", headers={"Retry-After": "1"})
    if request.method not in SAFE:
        return Forward(service.name, request.path, then=passing.learning(service.name, item_id))
    return Forward(service.name, request.path, or_here=here)


def _by_type(request: Request) -> Service | None:
    if request.method == "POST":
        return _service(_posted_type(request))
    asked = request.query_params().get("type", [""])[0]
    return _service(asked) if asked and "," not in asked else None


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
    proxy.record = partial(_recorded, proxy.record)
    return proxy


def _recorded(record: Callable[[Passed], None], passed: Passed) -> None:
    record(passed)
    if passed.status < 400 and (kind := _KIND_OF.get(passed.service)):  # others may be our own
        sources.heard(kind)


def _missed(service: str) -> None:
    """The lists are to say so at once."""
    kind = topology.service(service).item_type or ""
    if kind not in sources.lately().silent:
        asyncio.get_running_loop().run_in_executor(None, sources.failed, kind)
