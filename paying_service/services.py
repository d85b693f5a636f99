"""What can be done to payments. Each change is one conditional update of the payment as it was read."""

import uuid

from django.db import transaction
from django.db.models import F, Q, QuerySet

from paying_service import failed_refunds
from paying_service.models import DELETABLE, TRANSITIONS, Due, Payment, Provider
from shopkit import versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, found
from shopkit.permissions import visible


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


def page_of_payments(*, after: str) -> list[dict[str, object]]:
    """The next 500 by id: `{id, order_id, status, captured, refunded, refund_failed, by_hand, created_at}`."""
    later = Payment.objects.filter(pk__gt=after) if after else Payment.objects.all()
    shown = ("id", "order_id", "status", "captured", "refunded", "created_at", "refund_failed", "by_hand")
    said = {"refund_failed": failed_refunds.left("refunds__"), "by_hand": Q(handle="")}
    rows = later.annotate(**said).order_by("pk").values(*shown)[:500]
    return [{**row, "id": str(row["id"]), "order_id": str(row["order_id"])} for row in rows]


def visible_payments(*, identity: Identity) -> QuerySet[Payment]:
    """A customer's own; to staff, all."""
    return visible(Payment.objects.all(), identity)


def get_payment(*, payment_id: uuid.UUID, identity: Identity) -> Payment:
    """`NotFound` when there is none or it is another's."""
    return found(visible_payments(identity=identity).filter(pk=payment_id).first())


def latest_payment(*, order_id: uuid.UUID, identity: Identity) -> Payment:
    """The order's last payment; `NotFound` when it has none or is another's."""
    return found(visible_payments(identity=identity).filter(order_id=order_id).order_by("-created_at", "-pk").first())


@transaction.atomic
def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What the guest paid, or may pay, is the customer's. May be repeated."""
    owner = {"customer_id": customer_id, "customer_type": customer_type}
    Payment.objects.filter(customer_id=guest_id).update(version=F("version") + 1, **owner)
    Due.objects.filter(customer_id=guest_id).update(**owner)


@transaction.atomic
def move(*, payment: Payment, to: str, version: int | None = None) -> Payment:
    """Moves a payment along the table.

    `PreconditionFailed` when it is not at `version`; `Conflict`: `not_by_hand`, `illegal_transition`, or `conflict`
    when it changed since it was read.
    """
    versioned.check_version(payment, version)
    _check_by_hand(payment, "not_by_hand")
    versioned.check_transition(payment, to, TRANSITIONS)
    versioned.change(payment, status=to)
    return payment


def delete_payment(*, payment: Payment) -> None:
    """Forgets a payment that moved no money: pending or failed; else `Conflict("not_deletable")`."""
    _check_by_hand(payment, "not_deletable")
    versioned.delete(payment, DELETABLE)


def check_simulated(payment: Payment) -> None:
    """`Conflict("nothing_to_confirm")` for a payment that is not in the simulated provider's hands."""
    if payment.provider != Provider.SIMULATED or not payment.handle:
        raise Conflict("There is nothing to confirm.", code="nothing_to_confirm")


def _check_by_hand(payment: Payment, code: str) -> None:
    """What was paid by a provider is what that provider says, and its order waits for it."""
    if payment.handle:
        raise Conflict("This payment is its provider's to move.", code=code)
