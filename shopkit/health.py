"""`/health/live`: the process answers. `/health/ready`: so do its stores, each named with its state."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from shopkit import mongo
from shopkit.topology import Service, Store

Check = Callable[[], object]
OPTIONAL = {"redis"}  # a cache: without it a service is slower, not out of order
log = structlog.get_logger()


def live(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "service": settings.SERVICE.name})


def ready(_request: HttpRequest) -> JsonResponse:
    """200 `{"status": "ok", "service", "dependencies": {name: "ok"}}`; 503 when one of them is `"down"`."""
    states = {name: _state(name, check) for name, check in checks(settings.SERVICE).items()}
    return ready_response(states)


def ready_response(states: dict[str, str]) -> JsonResponse:
    down = [name for name, state in states.items() if state != "ok" and name not in OPTIONAL]
    body = {"status": "down" if down else "ok", "service": settings.SERVICE.name, "dependencies": states}
    return JsonResponse(body, status=503 if down else 200, headers={"Retry-After": "1"} if down else {})


def checks(service: Service) -> dict[str, Check]:
    """What the service needs, by name. A cache that is this process's own memory is no dependency."""
    found: dict[str, Check] = {}
    if service.relational:
        found["database"] = _ask_database
    if service.store is Store.MONGO:
        found["mongodb"] = mongo.ping
    if "redis" in settings.CACHES["default"]["BACKEND"]:
        found["redis"] = lambda: cache.get("health")
    return found


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _state(name: str, check: Check) -> str:
    try:
        check()
    except Exception:  # whatever a driver raises means the same here: it is down
        log.warning("dependency down", dependency=name, exc_info=True)
        return "down"
    return "ok"
