"""Which renderer answers: there is one, for JSON, and whoever takes JSON or anything has it without more ado."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

_JSON = frozenset({"*/*", JSONRenderer.media_type})


class Negotiation(DefaultContentNegotiation):
    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        first, *others = renderers
        plain = type(first) is JSONRenderer and not others and not format_suffix
        if plain and request._request.META.get("HTTP_ACCEPT", "*/*") in _JSON and "format" not in request.query_params:
            return first, JSONRenderer.media_type
        chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
