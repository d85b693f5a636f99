"""OpenAPI: what every operation of every service has in common, said once."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from shopkit.auth import ANONYMOUS, Identity

ACCESS = (
    ("public", ANONYMOUS),
    ("known", Identity(customer_id="somebody")),
    ("account", Identity(customer_id="somebody", customer_type="registered")),
    ("staff", Identity(is_staff=True)),
)
"""Kinds of access, the widest first, each with one whom it lets in and those before it don't."""
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


def access(view: Any) -> str:
    """Who passes the permissions that the view has for its present request: `ACCESS`'s, or `nobody`."""

    def passes(identity: Identity) -> bool:
        view.request.user = identity
        return all(each.has_permission(view.request, view) for each in view.get_permissions())

    user = view.request.user
    try:
        return next((kind for kind, identity in ACCESS if passes(identity)), "nobody")
    finally:
        view.request.user = user


class ShopSchema(AutoSchema):
    """Adds to every operation the error form, and as `x-access` who comes in; whose things they see, the view says."""

    def get_extensions(self) -> dict[str, Any]:
        return {"x-access": access(self.view)}

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
