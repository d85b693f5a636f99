"""Who is calling. A token says it; in open access the identity headers are believed too; nothing else ever is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from shopkit import tokens, topology
from shopkit.config import config, is_loopback
from shopkit.errors import Forbidden, Invalid, ShopError, Unauthenticated
from shopkit.keys import signing_key

IDENTITY_HEADERS = frozenset({"x-user-id", "x-user-role", "x-user-type", "x-user-email", "x-staff", "x-service"})
SCHEMES = ("bearer", "jwt")
OF_GUESTS = ("guest", "")
"""Of which types of owner a guest's token opens what they have; of some it is not known."""
KEPT_TOKENS = 4096
Header = Callable[[str], str | None]


@dataclass(frozen=True)
class Identity:
    """A caller: a customer (`customer_id`, `customer_type`), staff, or nobody.

    `by_token`: a token says so, not a header. `service` is set when one of our own services calls, for itself or, with
    a `customer_id`, on somebody's behalf.
    """

    customer_id: str | None = None
    customer_type: str = "guest"
    is_staff: bool = False
    service: str | None = None
    by_token: bool = field(default=False, compare=False)

    @property
    def is_authenticated(self) -> bool:
        return self.is_staff or self.customer_id is not None or self.service is not None

    @property
    def is_service(self) -> bool:
        """One of our own services, for itself."""
        return self.service is not None and self.customer_id is None and not self.is_staff

    @property
    def role(self) -> str:
        return "staff" if self.is_staff else "customer"

    @property
    def has_guest_token(self) -> bool:
        """Easily come by, it may be left over from before the guest made an account. Open access asks for no tokens."""
        is_guest = self.customer_id is not None and self.customer_type == "guest" and not self.is_staff
        return is_guest and not config().open_access

    def owns(self, owner_id: str | None, owner_type: str = "") -> bool:
        """Whether it is the caller's. With a guest's token, not what came to be when its owner had an account.

        `owner_type` is what they were then; empty where that is not known.
        """
        theirs = owner_id is not None and owner_id == self.customer_id
        return theirs and (owner_type in OF_GUESTS or not self.has_guest_token)

    def may_see(self, owner_id: str | None, owner_type: str = "") -> bool:
        return self.is_staff or self.owns(owner_id, owner_type)


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


def identify(header: Header) -> Identity:
    """The caller, from the request's headers, asked for by their names in lower case.

    `Unauthenticated` for a token that can't be believed; `Forbidden("wrong_customer_type")` where `X-Customer-Type`
    disagrees with a customer's token; to staff and services it only says where to go.
    """
    kind = customer_type(header("x-customer-type"))
    if authorization := header("authorization"):
        found = of_token(authorization)
        if kind not in (None, found.customer_type) and not (found.is_staff or found.service):
            message = f"X-Customer-Type says {kind}, but the token is of type {found.customer_type}."
            raise Forbidden(message, code="wrong_customer_type")
        return found
    return _believed(header("x-user-id"), kind or "guest") if config().open_access else ANONYMOUS


def _believed(user_id: str | None, kind: str) -> Identity:
    if user_id:
        return Identity(customer_id=_id(user_id), customer_type=kind)
    return Identity(customer_type=kind, is_staff=True)


def _id(value: str) -> str:
    if len(value) > 64 or not value.isprintable() or " " in value:
        raise Invalid("X-User-ID is not an id.", code="invalid_user_id")
    return value


_kept: dict[str, tuple[Identity, float]] = {}


def of_token(authorization: str) -> Identity:
    """Whom `Bearer <token>` or `JWT <token>` names; what was found is kept for as long as the token lives."""
    identity, until = _kept.get(authorization, (ANONYMOUS, 0.0))
    if until > time.time():
        return identity
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in SCHEMES:
        raise Unauthenticated("Authorization must be `Bearer <token>`.", code="invalid_token")
    claims = tokens.check(token.strip())
    if len(_kept) >= KEPT_TOKENS:
        _kept.clear()  # cheaper than knowing which is oldest, and rare
    identity = _identity(claims)
    _kept[authorization] = (identity, claims.until)
    return identity


def _identity(claims: tokens.Claims) -> Identity:
    if claims.role == "service":
        return Identity(service=claims.service, by_token=True)
    customer = None if claims.subject == claims.service else claims.subject  # open access has staff without an id
    return Identity(customer, claims.customer_type, claims.role == "staff", claims.service, by_token=True)


_made: dict[tuple[str, Identity | None], tuple[str, float]] = {}


def token_for(peer: str, identity: Identity | None = None) -> str:
    """A token for a call to that service, on behalf of `identity` if it is anybody; used for half of its life."""
    behalf = identity if identity and (identity.is_staff or identity.customer_id) else None
    token, until = _made.get((peer, behalf), ("", 0.0))
    if until < time.monotonic():
        whom = (behalf.customer_id or signing_key().service, behalf.customer_type, behalf.role) if behalf else None
        token, until = (
            tokens.service_token(audience=peer, on_behalf=whom),
            time.monotonic() + tokens.SERVICE_SECONDS / 2,
        )
        if len(_made) >= KEPT_TOKENS:
            _made.clear()
        _made[peer, behalf] = (token, until)
    return token


def guest_of(request: Request) -> str | None:
    """The guest whose token the request carries; None for any other caller, and for a token that counts no more."""
    try:
        found = identify(request._request.headers.get)
    except ShopError:
        return None
    return found.customer_id if found.customer_type == "guest" else None


def caller(request: Request) -> Identity:
    """Who makes this request, as `IdentityAuthentication` found them."""
    return cast(Identity, request.user)


class IdentityAuthentication(BaseAuthentication):
    """Puts an `Identity` where Django REST framework looks for a user."""

    def authenticate(self, request: Request) -> tuple[Identity, None] | None:
        django_request: HttpRequest = request._request
        found = identify(django_request.headers.get)
        if not (found.by_token or is_loopback(django_request.META.get("REMOTE_ADDR", ""))):
            return None  # open access is for this machine, whatever server has let somebody else in
        return (found, None) if found.is_authenticated else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
