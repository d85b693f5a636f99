"""OpenAPI: what every operation of every service has in common, said once."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

PAGE_PARAMETERS = [OpenApiParameter(name, int, OpenApiParameter.QUERY) for name in ("page", "page_size")]


def ordering_parameter(allowed: Iterable[str]) -> OpenApiParameter:
    description = f"{', '.join(allowed)}; a leading - for descending"
    return OpenApiParameter("ordering", str, OpenApiParameter.QUERY, description=description)


class ErrorSerializer(serializers.Serializer[Any]):
    """The one error form."""

    error = serializers.CharField()
    code = serializers.CharField()
    details = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    request_id = serializers.CharField()


class ShopSchema(AutoSchema):  # type: ignore[no-untyped-call]
    """Adds the error form to every operation."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        bodies["default"] = self._get_response_for_code(ErrorSerializer, "default")  # type: ignore[no-untyped-call]
        return bodies


class IdentityScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells that `IdentityAuthentication` takes a bearer token."""

    target_class = "shopkit.auth.IdentityAuthentication"
    name = "access_token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return build_bearer_security_scheme_object("Authorization", "Bearer", bearer_format="JWT")
