"""Staff sign in to any service's Django admin with the one account they have, where accounts are kept.

That is asked at login alone: whoever is dismissed meanwhile stays until their session ends, an hour after it began.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from shopkit import http, topology
from shopkit.client_address import client_address
from shopkit.errors import ShopError

EMAIL_LENGTH = 254  # characters (RFC 5321 §4.5.3.1)
_WRONG = frozenset({"invalid_credentials", "invalid"})
log = structlog.get_logger()


@dataclass(frozen=True)
class Staff:
    """A member of staff, as the service that keeps accounts knows them."""

    id: str
    email: str


class StaffBackend(BaseBackend):
    """The only one of `AUTHENTICATION_BACKENDS`: passwords of the service's own users count for nothing."""

    def check(self, *, email: str, password: str, address: str) -> Staff:
        """Whose these are; `ShopError`, with the code `invalid_credentials` when nobody's on the staff.

        The service that keeps accounts puts its own function here, rather than ask itself over HTTP.
        """
        keeper = topology.account_keeper().name
        asked = {"email": email, "password": password, "address": address}
        body = http.call("POST", keeper, "/internal/staff/check/", json=asked)
        with http.understanding(keeper):
            return Staff(id=str(body["id"]), email=str(body["email"]))

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_more: Any
    ) -> User | None:
        """None for wrong credentials; `ValidationError` with a sentence when they can't be checked now."""
        if not username or not password:
            return None
        address = client_address(request) if request else ""
        try:
            staff = self.check(email=username, password=password, address=address)
        except ShopError as error:
            log.warning("staff_login_refused", email=_masked(username), code=error.code)
            if error.code in _WRONG:
                return None
            raise ValidationError(_sentence(error)) from None
        log.info("staff_login", staff=staff.id)
        return _shadow(staff)

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


def _shadow(staff: Staff) -> User:
    """The row that stands for them here, by which sessions and the admin's history name them."""
    now = {"email": staff.email, "is_staff": True, "is_superuser": True, "is_active": True}
    made = {**now, "password": make_password(None)}
    return User.objects.update_or_create(username=staff.id, defaults=now, create_defaults=made)[0]


def _sentence(error: ShopError) -> str:
    if error.status == 429:
        return "There were too many attempts; try again later."
    return "Accounts can't be checked at the moment; try again soon."


def _masked(email: str) -> str:
    """Enough to recognise one's own: `a…@example.com`."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}…{at}{domain[:EMAIL_LENGTH]}"


class LoginForm(AdminAuthenticationForm):
    """Django's, which asks for an email."""

    username = forms.EmailField(widget=forms.EmailInput(attrs={"autofocus": True}), label="Email")
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "This is not the email and password of a member of staff.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["maxlength"] = EMAIL_LENGTH  # not that of a local user's name
