"""What the gateway answers itself."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from gateway import services
from shopkit.health import ready_response


@require_safe
def index(_request: HttpRequest) -> JsonResponse:
    """`GET /`: where to go from here."""
    links = {"docs": "/docs/", "schema": "/api/schema/", "health": "/health/ready", "items": "/api/items/"}
    return JsonResponse({"service": "gateway", "links": links})


@require_safe
def fleet_ready(_request: HttpRequest) -> JsonResponse:
    """`GET /health/ready`: 200 when every service of the fleet is ready."""
    return ready_response(services.fleet_states())


@require_safe
def schema(_request: HttpRequest) -> JsonResponse:
    """`GET /api/schema/`: the fleet's OpenAPI document."""
    return JsonResponse(services.merged_schema())
