"""Members of staff: accounts without a profile, made by who runs the shop."""

import secrets

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from registered_customer import passwords
from registered_customer.models import Account
from shopkit.config import ConfigurationError, config
from shopkit.customers.emails import normal, with_email
from shopkit.customers.sessions import close_all
from shopkit.errors import Invalid


@transaction.atomic
def make(*, email: str, password: str | None = None) -> str | None:
    """Makes the account with that email one of staff, or makes one; the password, if it had to be made up.

    Without a password, an account that is there keeps its own. `Invalid("weak_password")`.
    """
    account = with_email(Account.objects.select_for_update(), email)
    made_up = secrets.token_urlsafe(16) if account is None and password is None else None
    account = account or Account(email=normal(email))
    if password is not None:
        passwords.check_new(password, of=account)
    if new := password or made_up:
        account.password, account.password_changed_at = make_password(new), timezone.now()
    account.role, account.active = Account.Role.STAFF, True
    account.save()
    close_all(subject=account.pk)
    return made_up


def make_first() -> None:
    """The account that `SHOP_STAFF_EMAIL` and `SHOP_STAFF_PASSWORD` name, unless one with that email is there."""
    email, password = config().staff_email, config().staff_password
    if not email or with_email(Account.objects.all(), email):
        return
    if not password:
        raise ConfigurationError("SHOP_STAFF_EMAIL needs SHOP_STAFF_PASSWORD beside it.")
    try:
        make(email=email, password=password)
    except Invalid as weak:
        raise ConfigurationError(f"SHOP_STAFF_PASSWORD: {weak.message}") from None
