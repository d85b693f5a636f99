"""The two kinds of token (RFC 7519): those of customers and staff, and those with which services call each other.

Both are signed with EdDSA (RFC 8037) by a key that `kid` names and this service already holds; nothing in a token is
followed anywhere. What may be signed by whom is the topology's to say (RFC 8725 §3).
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt

from shopkit import topology
from shopkit.config import config
from shopkit.errors import Unauthenticated
from shopkit.keys import PublicKey, public_keys, signing_key

AUDIENCE = "polyshop"
ALGORITHM = "EdDSA"
ACCESS, SERVICE = "at+jwt", "service+jwt"  # explicit types, so that neither passes for the other (RFC 8725 §3.11)
SERVICE_SECONDS = 60
LEEWAY = 5  # seconds by which two machines' clocks may differ
MAX_LENGTH = 2048
ROLES = ("customer", "staff")
_REQUIRED = ["iss", "aud", "sub", "exp", "iat", "jti", "type", "role"]


@dataclass(frozen=True)
class Claims:
    """What a checked token says; `service` signed it, if one did; `until` is when it ends, in Unix seconds."""

    subject: str
    customer_type: str
    role: str
    service: str | None
    until: float


def access_token(*, subject: str, customer_type: str, role: str) -> str:
    """An access token for a customer or staff, good for `SHOP_TOKEN_MINUTES` at every service."""
    return _signed(ACCESS, AUDIENCE, config().token_minutes * 60, sub=subject, type=customer_type, role=role)


def service_token(*, audience: str, on_behalf: tuple[str, str, str] | None = None) -> str:
    """For a call to that service; `on_behalf` is the (subject, type, role) for whom we call (RFC 8693 §4.1)."""
    own = signing_key().service
    subject, customer_type, role = on_behalf or (own, "service", "service")
    actor = {"act": {"sub": own}} if on_behalf else {}
    return _signed(SERVICE, audience, SERVICE_SECONDS, sub=subject, type=customer_type, role=role, **actor)


def _signed(kind: str, audience: str, seconds: int, **claims: object) -> str:
    own, now = signing_key(), int(time.time())
    body = {"iss": own.service, "aud": audience, "iat": now, "exp": now + seconds, "jti": secrets.token_urlsafe(12)}
    return jwt.encode({**body, **claims}, own.key, ALGORITHM, headers={"kid": own.public.kid, "typ": kind})


def check(token: str) -> Claims:
    """What the token says; `Unauthenticated`, `invalid_token` or `token_expired`, when it can't be believed here."""
    try:
        header = jwt.get_unverified_header(token) if len(token) <= MAX_LENGTH else {}
        key = public_keys().get(str(header.get("kid")))
        if key is None or header.get("typ") not in (ACCESS, SERVICE) or "crit" in header:
            raise _invalid()
        audience = AUDIENCE if header["typ"] == ACCESS else signing_key().service
        claims = _decoded(token, key, audience)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("This token has expired; refresh it.", code="token_expired") from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise _invalid() from None
    believable = _is_access(claims, key) if header["typ"] == ACCESS else _is_service(claims, key)
    if not believable:
        raise _invalid()
    return _claims(claims, key.service if header["typ"] == SERVICE else None)


def _decoded(token: str, key: PublicKey, audience: str) -> dict[str, Any]:
    options: Any = {"require": _REQUIRED, "strict_aud": True}
    claims = jwt.decode(token, key.key, [ALGORITHM], options, audience=audience, issuer=key.service, leeway=LEEWAY)
    return claims if all(isinstance(claims[name], str) for name in ("sub", "type", "role")) else {}


def _is_access(claims: dict[str, Any], key: PublicKey) -> bool:
    """A customer's token is from a service that issues their type, that of staff from the one that keeps accounts."""
    issuer, role = topology.service(key.service), claims.get("role")
    return claims.get("type") in issuer.issues and role in ROLES and (role == "customer" or issuer.keeps_accounts)


def _is_service(claims: dict[str, Any], key: PublicKey) -> bool:
    """From a service that the topology lets call us: for itself or, where clients come to us by way of it, for them."""
    own, signer = topology.service(signing_key().service), topology.service(key.service)
    if "act" in claims:
        ours = own.name in signer.calls and own.behind in (None, signer.name)
        return ours and claims["act"] == {"sub": signer.name} and claims.get("role") in ROLES
    return own.name in signer.may_call and claims.get("role") == "service" and claims.get("sub") == signer.name


def _claims(claims: dict[str, Any], service: str | None) -> Claims:
    return Claims(claims["sub"], claims["type"], claims["role"], service, float(claims["exp"]))


def _invalid() -> Unauthenticated:
    return Unauthenticated("This token is not valid here.", code="invalid_token")
