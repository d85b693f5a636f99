"""Routes that customer_router answers itself; every other customer path is proxied (see `routing.py`)."""

from typing import Any

from django.urls import URLPattern, path

from customer_router.views import DowngradeView, LoginView, OrderView, PerksView, UpgradeView, VerifyEmailView
from shopkit import topology
from shopkit.customers.auth_views import KeysView


def _moves(prefix: str, **more: Any) -> list[URLPattern]:
    one = f"api/{prefix}/<str:customer_id>/"
    return [
        path(f"{one}upgrade/", UpgradeView.as_view(**more)),
        path(f"{one}downgrade/", DowngradeView.as_view(**more)),
    ]


urlpatterns = [
    path("api/auth/login/", LoginView.as_view()),
    path("api/auth/verify-email/", VerifyEmailView.as_view()),
    path("api/auth/.well-known/jwks.json", KeysView.as_view()),
    *_moves("customers"),
    *(route for service in topology.by_customer_type().values() for route in _moves(service.paths[0], schema=None)),
    path("internal/customers/<str:customer_id>/orders/", OrderView.as_view()),
    path("internal/customers/<str:customer_id>/perks/", PerksView.as_view()),
]
