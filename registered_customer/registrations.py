"""How an account comes to be: somebody registers, and whoever reads that email's mail completes it.

Until then there is only a row that nobody else sees. So registering tells nobody whether an email has an account, keeps
nobody from theirs, and gives nobody an account of another's email.
"""

import uuid
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from registered_customer import limits, passwords
from registered_customer.mailed_tokens import hashed, new_token
from registered_customer.models import Account, Customer, Registration
from shopkit.customers.emails import with_email
from shopkit.customers.models import new_id
from shopkit.errors import Conflict, Invalid
from shopkit.outbox import services as outbox

LIFETIME = timedelta(hours=24)


def register(
    *, email: str, password: str, first_name: str = "", last_name: str = "", guest_id: str | None = None, address: str
) -> None:
    """Has the email verified by mail; the same whether or not it has an account. `Invalid` for a weak password."""
    wanted = Registration(email=email, first_name=first_name, last_name=last_name, guest_id=guest_id)
    passwords.check_new(password, of=wanted)
    limits.REGISTER.count(email, address)
    wanted.password = make_password(password)
    token = new_token()
    wanted.token_hash, wanted.expires_at = hashed(token), timezone.now() + LIFETIME
    with transaction.atomic():
        wanted.save(force_insert=True)
        outbox.put(kind="registration", payload={"registration": str(wanted.pk), "token": token})


def resend(*, email: str, address: str) -> None:
    """Has the mail of the latest registration sent again, with a new token, if there is one."""
    limits.RESEND.count(email, address)
    with transaction.atomic():
        outbox.put(kind="registration_again", payload={"email": email})


def find(*, token: str) -> Registration:
    """The registration that waits; `Invalid("invalid_token")` when it is none, was completed, or is of another day."""
    return _found(_of(token).filter(completed_at=None).first())


def _of(token: str) -> "QuerySet[Registration]":
    return Registration.objects.filter(token_hash=hashed(token), expires_at__gt=timezone.now())


def _found(registration: Registration | None) -> Registration:
    if registration is None:
        raise Invalid("This token is not valid, or not any more.", code="invalid_token")
    return registration


def complete(*, token: str, customer_id: str | None = None) -> str:
    """Makes the account and its customer, under that id if one is given; the customer's id, again if repeated.

    A customer whom staff made with that email becomes this account's, under their own id. `Invalid("invalid_token")`;
    `Conflict("email_taken")` if somebody was first.
    """
    try:
        with transaction.atomic():
            return _complete(_found(_of(token).first()), customer_id)
    except IntegrityError:
        raise _taken() from None


def _complete(registration: Registration, customer_id: str | None) -> str:
    registration = Registration.objects.select_for_update().get(pk=registration.pk)
    if registration.completed_at:
        return str(registration.customer_id)
    if Account.objects.filter(email=registration.email).exists():
        raise _taken()
    customer = _customer(registration, customer_id)
    Account.objects.create(id=customer.pk, email=registration.email, password=registration.password)
    registration.customer_id, registration.completed_at = customer.pk, timezone.now()
    registration.save()
    return customer.pk


def _customer(registration: Registration, customer_id: str | None) -> Customer:
    made_by_staff = with_email(Customer.objects.all(), registration.email)
    pk = made_by_staff.pk if made_by_staff else customer_id or new_id()
    customer = Customer.objects.select_for_update().filter(pk=pk).first() or Customer(pk=pk)
    customer.email, customer.email_verified = registration.email, True
    customer.first_name = customer.first_name or registration.first_name
    customer.last_name = customer.last_name or registration.last_name
    customer.save()
    return customer


def reserve(*, registration_id: uuid.UUID, customer: Customer) -> None:
    """Gives a guest who is arriving the email and an account that is shut; in the transaction of their arrival.

    `Invalid("invalid_token")` when it was completed meanwhile; `IntegrityError` when the email is another's.
    """
    waiting = Registration.objects.select_for_update().filter(pk=registration_id, completed_at=None)
    registration = _found(waiting.first())
    customer.email, customer.email_verified = registration.email, True
    customer.first_name = registration.first_name or customer.first_name
    customer.last_name = registration.last_name or customer.last_name
    customer.save()
    fields = {"email": registration.email, "password": registration.password, "active": False}
    Account.objects.update_or_create(pk=customer.pk, defaults=fields)
    waiting.update(customer_id=customer.pk)


def open_reserved(*, customer: Customer) -> None:
    """Opens the account, and completes the registration, of a guest who has arrived."""
    reserved = Registration.objects.filter(customer_id=customer.pk, completed_at=None)
    if reserved.update(completed_at=timezone.now()):
        Account.objects.filter(pk=customer.pk).update(active=True)


def give_back(*, customer: Customer) -> None:
    """Undoes `reserve`: the registration can be completed another time."""
    if Registration.objects.filter(customer_id=customer.pk, completed_at=None).update(customer_id=None):
        Account.objects.filter(pk=customer.pk, active=False).delete()


def _taken() -> Conflict:
    return Conflict("There is an account with this email already; log in.", code="email_taken")


def forget_old() -> None:
    """Deletes the registrations whose token has not counted for a week."""
    Registration.objects.filter(expires_at__lt=timezone.now() - timedelta(days=7)).delete()
