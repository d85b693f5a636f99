"""Sessions: an access token, and a refresh token that rotates; using an old one again ends the whole family.

RFC 9700 §4.14.2. A refresh token is `<service>.<session>.<secret>`; of the secret only a hash is kept. The next secret
is derived from the last one, so that a client whose answer got lost, or who asked twice at once, gets the same answer
again for `GRACE`.
"""

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from shopkit import tokens
from shopkit.errors import Unauthenticated

GRACE = timedelta(seconds=10)
LIFETIME = timedelta(days=30)
Pair = dict[str, str]


def open_session(*, subject: str, customer_type: str, role: str = "customer") -> Pair:
    """`{access, refresh}` for somebody who has just shown who they are."""
    secret, now = secrets.token_urlsafe(32), timezone.now()
    session = _sessions().create(subject=subject, current=_hash(secret), rotated_at=now, expires_at=now + LIFETIME)
    return _pair(session, secret, customer_type, role)


def subject_of(refresh: str) -> str:
    """Whose refresh token this is, before it is used; `Unauthenticated` for one that is none, or counts no more."""
    session, _secret = _find(refresh)
    return str(session.subject)


def renew(refresh: str, *, customer_type: str, role: str = "customer") -> Pair:
    """The next `{access, refresh}`; `Unauthenticated` (`invalid_refresh`, `refresh_reused`) when it is not due one."""
    session, secret = _find(refresh)
    now, following = timezone.now(), _next(secret)
    current = _sessions().filter(pk=session.pk, current=_hash(secret), revoked_at=None)
    turned = {"current": _hash(following), "previous": _hash(secret), "rotated_at": now, "expires_at": now + LIFETIME}
    if current.update(**turned):
        return _pair(session, following, customer_type, role)
    if _sessions().filter(pk=session.pk, previous=_hash(secret), rotated_at__gt=now - GRACE, revoked_at=None).exists():
        return _pair(session, following, customer_type, role)
    _end(_sessions().filter(pk=session.pk))
    raise Unauthenticated("This refresh token was used before, so its session has been ended.", code="refresh_reused")


def close(refresh: str) -> None:
    """Ends the session; one that is none, or has ended, is ended already."""
    parts = _parts(refresh)
    if parts:
        _end(_sessions().filter(pk=parts[0]))


def close_all(*, subject: str) -> None:
    """Ends every session of that customer."""
    _end(_sessions().filter(subject=subject))


def forget_ended() -> int:
    """Deletes the sessions that ended by themselves; how many. Revoked ones stay until then."""
    return int(_sessions().filter(expires_at__lt=timezone.now()).delete()[0])


def _sessions() -> Any:
    return apps.get_model(settings.SERVICE.name, "Session").objects


def _find(refresh: str) -> tuple[Any, str]:
    parts = _parts(refresh)
    session = _sessions().filter(pk=parts[0], revoked_at=None, expires_at__gt=timezone.now()).first() if parts else None
    if session is None or parts is None:
        raise Unauthenticated("This refresh token is not valid; log in again.", code="invalid_refresh")
    return session, parts[1]


def _parts(refresh: str) -> tuple[uuid.UUID, str] | None:
    service, _, rest = refresh.partition(".")
    session, _, secret = rest.partition(".")
    try:
        return (uuid.UUID(session), secret) if service == settings.SERVICE.name else None
    except ValueError:
        return None


def _pair(session: Any, secret: str, customer_type: str, role: str) -> Pair:
    access = tokens.access_token(subject=session.subject, customer_type=customer_type, role=role)
    return {"access": access, "refresh": f"{settings.SERVICE.name}.{session.pk}.{secret}"}


def _next(secret: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"refresh:{secret}".encode(), hashlib.sha256).hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _end(sessions: Any) -> None:
    sessions.filter(revoked_at=None).update(revoked_at=timezone.now())
