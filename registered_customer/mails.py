"""The mails about accounts. Only here is it decided who gets one, so that no answer tells of it."""

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from registered_customer import registrations
from registered_customer.mailed_tokens import hashed, new_token
from registered_customer.models import Account, PasswordReset, Registration
from shopkit import mail
from shopkit.outbox.models import Message


def verify(message: Message) -> None:
    """To who registered: the token, or that there is an account already."""
    registration = _waiting().filter(pk=message.payload["registration"]).first()
    if registration is None:
        return
    if account := Account.objects.filter(email=registration.email).first():
        _send("account_exists", account.email, at=registration.created_at)
        return
    _send_verification(registration, message.payload["token"])


def verify_again(message: Message) -> None:
    """A new token for the registration that waits; the one before counts no more.

    Of several we can't tell which is theirs who asks, and each has a password of its own: then they register anew.
    """
    email = message.payload["email"]
    waiting = list(_waiting().filter(email=email)[:2])
    if not waiting or Account.objects.filter(email=email).exists():
        return
    registration = waiting[0]
    if len(waiting) > 1:
        _send("register_again", email, at=registration.created_at)
        return
    token = new_token()
    until = timezone.now() + registrations.LIFETIME
    _waiting().filter(pk=registration.pk).update(token_hash=hashed(token), expires_at=until)
    _send_verification(registration, token)


def reset_password(message: Message) -> None:
    reset = PasswordReset.objects.filter(pk=message.payload["reset"], expires_at__gt=timezone.now()).first()
    account = Account.objects.filter(email=reset.email, active=True).first() if reset else None
    if reset is None or account is None:
        return
    PasswordReset.objects.filter(pk=reset.pk).update(account=account)
    token = message.payload["token"]
    _send("reset_password", account.email, at=reset.created_at, token=token, link=_link("reset-password", token))


def _waiting() -> QuerySet[Registration]:
    return Registration.objects.filter(completed_at=None, expires_at__gt=timezone.now())


def _send_verification(registration: Registration, token: str) -> None:
    link = _link("verify-email", token)
    _send("verify_email", registration.email, at=registration.created_at, token=token, link=link)


def _link(page: str, token: str) -> str:
    return f"{settings.FRONT_URL}/{page}?{urlencode({'token': token})}"


def _send(template: str, to: str, *, at: datetime, token: str = "", link: str = "") -> None:
    """Nothing in it is of the asker's choosing: it may go to somebody who never asked."""
    context = {"at": at, "token": token, "link": link, "front": settings.FRONT_URL}
    mail.send(to=to, template=f"registered_customer/{template}", context=context)
