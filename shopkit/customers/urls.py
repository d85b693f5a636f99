"""The routes of a customer service: by its own path, and by `customers`, which the customer router passes on."""

from typing import Any

from django.urls import URLPattern, path

from shopkit.customers.auth_views import KeysView, LogoutView, RefreshView
from shopkit.customers.views import AddressViewSet, CustomerViewSet

MANY: Any = {"get": "list", "post": "create"}
ONE: Any = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}


def customer_urls(
    typed_path: str, customers: type[CustomerViewSet], addresses: type[AddressViewSet] | None = None
) -> list[URLPattern]:
    """The typed path is described in the schema; the other is the same."""
    return [
        *_routes(typed_path, customers, addresses),
        *_routes("customers", customers, addresses, schema=None),
    ]


def _routes(
    prefix: str, customers: type[CustomerViewSet], addresses: type[AddressViewSet] | None, **more: Any
) -> list[URLPattern]:
    one = f"api/{prefix}/<str:customer_id>/"
    routes = [
        path(f"api/{prefix}/", customers.as_view(MANY, **more)),
        path(one, customers.as_view(ONE, **more)),
        path(f"{one}history/", customers.as_view({"get": "history", "post": "view_item"}, **more)),
    ]
    if addresses:
        routes += [
            path(f"{one}addresses/", addresses.as_view(MANY, **more)),
            path(f"{one}addresses/<int:address_id>/", addresses.as_view(ONE, **more)),
        ]
    return routes


def auth_urls(refresh: type[RefreshView]) -> list[URLPattern]:
    """What every service that issues tokens answers."""
    return [
        path("api/auth/refresh/", refresh.as_view()),
        path("api/auth/logout/", LogoutView.as_view()),
        path("api/auth/.well-known/jwks.json", KeysView.as_view()),
    ]
