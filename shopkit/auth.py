"""Who is calling. In open access the identity headers are believed; in secure access nobody is anybody without a token.

Tokens are not issued yet, so in secure access every caller is anonymous and an `Authorization` header is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from shopkit import topology
from shopkit.config import config
from shopkit.errors import Invalid, Unauthenticated

IDENTITY_HEADERS = frozenset({"x-user-id", "x-user-role", "x-user-type", "x-user-email", "x-staff", "x-service"})


@dataclass(frozen=True)
class Identity:
    """A caller: a customer (`customer_id`, `customer_type`), staff, or nobody.

    `service` is set when one of our own services calls, for itself or, with a `customer_id`, on somebody's behalf.
    """

    customer_id: str | None = None
    customer_type: str = "guest"
    is_staff: bool = False
    service: str | None = None

    @property
    def is_authenticated(self) -> bool:
        return self.is_staff or self.customer_id is not None or self.service is not None

    def may_see(self, owner_id: str | None) -> bool:
        return self.is_staff or (owner_id is not None and owner_id == self.customer_id)


ANONYMOUS = Identity()


def anonymous() -> Identity:
    """Django REST framework's `UNAUTHENTICATED_USER`."""
    return ANONYMOUS


def customer_type(value: str | None) -> str | None:
    """`X-Customer-Type` in any case → the type; `Invalid`, naming those there are, for anything else."""
    if not value:
        return None
    known = topology.by_customer_type()
    if (folded := value.strip().lower()) not in known:
        message = f"X-Customer-Type must be one of {', '.join(sorted(known))}."
        raise Invalid(message, code="unknown_customer_type", details={"X-Customer-Type": [message]})
    return folded


def identify(header: Callable[[str], str | None]) -> Identity:
    """The caller, from the request's headers; `Unauthenticated` for a token that cannot be checked."""
    kind = customer_type(header("X-Customer-Type")) or "guest"
    if header("Authorization"):
        raise Unauthenticated("This token is not valid here.", code="invalid_token")
    if not config().open_access:
        return ANONYMOUS
    if user_id := header("X-User-ID"):
        return Identity(customer_id=_id(user_id), customer_type=kind)
    return Identity(customer_type=kind, is_staff=True)


def _id(value: str) -> str:
    if len(value) > 64 or not value.isprintable() or " " in value:
        raise Invalid("X-User-ID is not an id.", code="invalid_user_id")
    return value


def caller(request: Request) -> Identity:
    """Who makes this request, as `IdentityAuthentication` found them."""
    return cast(Identity, request.user)


class IdentityAuthentication(BaseAuthentication):
    """Puts an `Identity` where Django REST framework looks for a user."""

    def authenticate(self, request: Request) -> tuple[Identity, None] | None:
        django_request: HttpRequest = request._request
        found = identify(django_request.headers.get)
        return (found, None) if found.is_authenticated else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
