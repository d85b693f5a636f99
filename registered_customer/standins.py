"""Stands for what `shopkit.auth`, `shopkit.customers.sessions` and `shopkit.customers.auth_views` are about to have."""

import secrets

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from shopkit.auth import identify
from shopkit.errors import ShopError

Pair = dict[str, str]


class AuthView(APIView):
    """Asks nobody who they are: a token that has expired must not keep its owner from getting another."""

    permission_classes = [AllowAny]
    authentication_classes = []  # type: ignore[misc]


def open_session(*, subject: str, customer_type: str, role: str = "customer") -> Pair:
    return {"access": secrets.token_urlsafe(), "refresh": secrets.token_urlsafe()}


def close_all(*, subject: str) -> None:
    """Ends every session of that customer."""


def guest_of(request: Request) -> str | None:
    try:
        found = identify(request._request.headers.get)
    except ShopError:
        return None
    return found.customer_id if found.customer_type == "guest" else None
