"""A forgotten password: a token by mail, good for an hour and for once."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from registered_customer import limits, passwords
from registered_customer.mailed_tokens import hashed, new_token
from registered_customer.models import PasswordReset
from shopkit.errors import Invalid
from shopkit.outbox import services as outbox

LIFETIME = timedelta(hours=1)


def ask(*, email: str, address: str) -> None:
    """Has a token mailed to the account with that email, if there is one; the same if there is none."""
    limits.RESET.count(email, address)
    token = new_token()
    with transaction.atomic():
        reset = PasswordReset.objects.create(
            email=email, token_hash=hashed(token), expires_at=timezone.now() + LIFETIME
        )
        outbox.put(kind="password_reset", payload={"reset": str(reset.pk), "token": token})


def confirm(*, token: str, password: str) -> None:
    """Sets the password and ends all sessions; `Invalid` for a token that doesn't count, or a weak password."""
    reset = _usable(token)
    assert reset.account
    passwords.check_new(password, of=reset.account, field="new_password")
    with transaction.atomic():
        if not passwords.replace(reset.account, password):  # which voids this token, or another has
            raise _invalid()
    limits.LOGIN.account.forget(reset.account.email)


def _usable(token: str) -> PasswordReset:
    unused = PasswordReset.objects.filter(token_hash=hashed(token), used_at=None, expires_at__gt=timezone.now())
    reset = unused.filter(account__active=True).select_related("account").first()
    if reset is None:
        raise _invalid()
    return reset


def _invalid() -> Invalid:
    return Invalid("This token is not valid, or not any more.", code="invalid_token")


def forget_old() -> None:
    """Deletes the resets whose token has not counted for a day."""
    PasswordReset.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()
