"""`GET /api/schema/`: a service's OpenAPI document."""

import threading
from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularJSONAPIView):
    """One document at a time: while the first is made, extensions are loaded, and a second would take them for gone."""

    _turn = threading.Lock()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with self._turn:
            response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            return response
