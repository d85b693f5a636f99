"""Passwords: which are good enough, and whether one is right."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from registered_customer.models import Account, PasswordReset, Registration
from shopkit.customers.sessions import close_all
from shopkit.errors import Invalid

NOBODYS = "!"  # Django hashes something all the same when it is compared


def check_new(password: str, *, of: Account | Registration, field: str = "password") -> None:
    """`Invalid("weak_password")` for one that is short, common, all digits, or like what else is known of them."""
    try:
        validate_password(password, user=of)  # type: ignore[arg-type]  # it asks for email and names only
    except ValidationError as error:
        raise Invalid(error.messages[0], code="weak_password", details={field: error.messages}) from None


def is_right(password: str, account: Account | None) -> bool:
    """One hash is computed, whoever it is; a right password is hashed anew where hashes are made in another way now."""

    def rehash(plain: str) -> None:
        assert account
        Account.objects.filter(pk=account.pk, password=account.password).update(password=make_password(plain))

    right = check_password(password, account.password if account else NOBODYS, rehash)
    return right and account is not None and account.active


def replace(account: Account, password: str) -> bool:
    """Sets it, ends all sessions, and makes mailed tokens void; False if it has just been changed. In a transaction."""
    as_read = Account.objects.filter(pk=account.pk, password_changed_at=account.password_changed_at)
    if not as_read.update(password=make_password(password), password_changed_at=timezone.now()):
        return False
    PasswordReset.objects.filter(account=account, used_at=None).update(used_at=timezone.now())
    close_all(subject=account.pk)
    return True
