"""What can be done with an account: log in, change the password, change what it is, and close it."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from registered_customer import limits, passwords
from registered_customer.models import Account, Customer, PasswordReset, Registration
from shopkit.customers.emails import normal, with_email
from shopkit.customers.services import anonymise
from shopkit.customers.sessions import Pair, close_all, open_session
from shopkit.errors import Conflict, Invalid, Unauthenticated, found

_WRONG = "Email or password is wrong, or the address is not verified yet."


def log_in(*, email: str, password: str, address: str) -> tuple[Account, Pair]:
    """The account and a session. One and the same `Unauthenticated` for whatever is wrong; `Throttled`."""
    account = authenticate(email=email, password=password, address=address)
    return account, _session(account)


def authenticate(*, email: str, password: str, address: str) -> Account:
    """Whose email and password this is; errors as of `log_in`."""
    email = normal(email)
    limits.LOGIN.address.check(address)
    limits.LOGIN.account.count(email)  # before the look, so that many at once get no more tries
    account = with_email(Account.objects.all(), email)
    if not passwords.is_right(password, account) or account is None:
        limits.LOGIN.address.count(address)
        raise Unauthenticated(_WRONG, code="invalid_credentials")
    limits.LOGIN.account.forget(email)
    return account


def authenticate_staff(*, email: str, password: str, address: str) -> Account:
    """A member of staff, by email and password; errors as of `log_in`."""
    account = authenticate(email=email, password=password, address=address)
    if account.role != Account.Role.STAFF:
        raise Unauthenticated(_WRONG, code="invalid_credentials")
    return account


def session_of(*, account_id: str) -> Pair:
    """A session for who has shown in another way who they are; `NotFound` where there is no active account."""
    return _session(found(Account.objects.filter(pk=account_id, active=True).first()))


def standing(*, account_id: str) -> tuple[str, str]:
    """Customer type and role, for a session to be renewed with; `Unauthenticated` where there is no active account."""
    account = Account.objects.filter(pk=account_id, active=True).first()
    if account is None:
        raise Unauthenticated("This account is not active any more.", code="invalid_refresh")
    return account.customer_type, account.role


@transaction.atomic
def _session(account: Account) -> Pair:
    """For an account as it was when its password was looked at, or a session would outlive a change of it."""
    as_read = Account.objects.filter(pk=account.pk, active=True, password_changed_at=account.password_changed_at)
    if as_read.select_for_update().first() is None:
        raise Unauthenticated(_WRONG, code="invalid_credentials")
    return open_session(subject=account.pk, customer_type=account.customer_type, role=account.role)


def change_password(*, account_id: str, old: str, new: str, address: str) -> Pair:
    """Ends all sessions, and opens one for who asks. `Invalid` for a wrong or a weak password."""
    limits.CHANGE.count(account_id, address)
    account = found(Account.objects.filter(pk=account_id, active=True).first())
    if not passwords.is_right(old, account):
        message = "The old password is wrong."
        raise Invalid(message, code="wrong_password", details={"old_password": [message]})
    passwords.check_new(new, of=account, field="new_password")
    with transaction.atomic():
        if not passwords.replace(account, new):
            raise Conflict("The password has just been changed.")
    limits.CHANGE.account.forget(account_id)
    return session_of(account_id=account_id)


@transaction.atomic
def close(*, account_id: str) -> None:
    """Deletes the account, if there is one, with all that its email was given for, and ends its sessions."""
    email = Q(email__in=Account.objects.filter(pk=account_id).values("email"))
    Registration.objects.filter(email | Q(customer_id=account_id)).delete()
    PasswordReset.objects.filter(email).delete()
    Account.objects.filter(pk=account_id).delete()
    close_all(subject=account_id)


@transaction.atomic
def forget(*, customer: Any) -> None:
    """Anonymises a registered customer, who can't log in any more."""
    anonymise(customer=customer)
    close(account_id=customer.pk)


@transaction.atomic
def keep(*, account: Account) -> None:
    """Saves what staff changed of an account; its sessions end, or they would go on under what it was."""
    account.save(update_fields=["role", "active"])
    close_all(subject=account.pk)


def check_free(*, customer: Customer) -> None:
    """`Conflict("email_taken")` when the email that staff give a customer is another account's, a VIP's perhaps."""
    if Account.objects.filter(email=customer.email).exclude(pk=customer.pk).exists():
        raise Conflict("Another account has that email.", code="email_taken")


def profile(*, account: Account) -> Customer | None:
    """The customer, if this service has them."""
    return Customer.objects.filter(pk=account.pk, moved_to="", anonymised_at=None).first()
