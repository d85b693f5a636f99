"""What can be done to payments. Each change is one conditional update of the payment as it was read."""

import uuid

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from paying_service.models import DELETABLE, TRANSITIONS, Payment
from shopkit.auth import Identity
from shopkit.errors import Conflict, NotFound, PreconditionFailed


def create_payment(
    *, order_id: uuid.UUID, customer_id: str | None, provider: str, method: str, amount: int, currency: str
) -> Payment:
    """A pending payment of `amount` minor units."""
    return Payment.objects.create(
        order_id=order_id,
        customer_id=customer_id,
        provider=provider,
        method=method,
        amount=amount,
        currency=currency,
    )


def visible_payments(*, identity: Identity) -> QuerySet[Payment]:
    """A customer's own; to staff, all."""
    return Payment.objects.all() if identity.is_staff else Payment.objects.filter(customer_id=identity.customer_id)


def get_payment(*, payment_id: uuid.UUID, identity: Identity) -> Payment:
    payment = visible_payments(identity=identity).filter(pk=payment_id).first()
    if payment is None:
        raise NotFound
    return payment


def latest_payment(*, order_id: uuid.UUID, identity: Identity) -> Payment:
    """The order's last payment; `NotFound` when it has none or is another's."""
    payment = visible_payments(identity=identity).filter(order_id=order_id).order_by("-created_at", "-pk").first()
    if payment is None:
        raise NotFound
    return payment


@transaction.atomic
def move(*, payment: Payment, to: str, version: int | None = None) -> Payment:
    """Moves a payment along the table.

    `PreconditionFailed` when it is not at `version`; `Conflict`: `illegal_transition`, or `conflict` when it changed
    since it was read.
    """
    if version is not None and version != payment.version:
        raise PreconditionFailed
    if to not in TRANSITIONS[payment.status]:
        raise Conflict(f"A payment does not go from {payment.status} to {to}.", code="illegal_transition")
    as_read = Payment.objects.filter(pk=payment.pk, version=payment.version)
    if not as_read.update(status=to, version=F("version") + 1, updated_at=timezone.now()):
        raise Conflict("The payment has just changed; read it again.")
    payment.refresh_from_db()
    return payment


@transaction.atomic
def delete_payment(*, payment: Payment) -> None:
    """Forgets a payment that moved no money: pending or failed; else `Conflict("not_deletable")`."""
    if not Payment.objects.filter(pk=payment.pk, status__in=DELETABLE).update(version=F("version") + 1):
        raise Conflict(f"A payment that is {payment.status} is kept.", code="not_deletable")
    Payment.objects.filter(pk=payment.pk).delete()
