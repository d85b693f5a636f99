"""Pictures in HTTP: how they come in, and how they go out."""

import base64
import binascii
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation

from shopkit.pictures import KINDS, MAX_BYTES

PICTURE_RESPONSES = {(200, f"image/{kind.lower()}"): OpenApiTypes.BINARY for kind in KINDS}
"""What a route that answers a picture says so with in the schema."""


@extend_schema_field({"type": "string", "format": "byte"})
class PictureField(serializers.Field[bytes, Any, str, Any]):
    """A file of a form, or in JSON base64, bare or as a `data:` URL; gives its bytes, of a long file not all."""

    default_error_messages = {"invalid": "A picture is a file of a form, or base64."}

    def to_internal_value(self, data: Any) -> bytes:
        if hasattr(data, "read"):
            return bytes(data.read(MAX_BYTES + 1))
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return base64.b64decode(data.partition(",")[2] if data.startswith("data:") else data, validate=True)
        except (binascii.Error, ValueError):
            self.fail("invalid")


class AnyKind(DefaultContentNegotiation):
    """A picture is what it is, whatever kinds the client says it takes; an error about it is JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def picture_answer(content: bytes, kind: str, *, cache: str) -> HttpResponse:
    """The picture itself; `cache` is its `Cache-Control`."""
    answer = HttpResponse(content, content_type=f"image/{kind}")
    answer["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = cache
    return answer
