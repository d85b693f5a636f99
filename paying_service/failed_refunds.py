"""Refunds that fail after their provider took them: said so to staff, who may make them again under another id.

What a payment gave back never goes down: its order has been told. What failed of it stands beside it, until it is made
again.
"""

from typing import Any

import structlog
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from paying_service import providers
from paying_service.models import Payment, Refund

log = structlog.get_logger()


def left(refund: str = "") -> Any:
    """To annotate with: minor units that failed and were not made again. `refund` is the way to a row's refunds."""
    failed = Sum(f"{refund}amount", filter=~Q(**{f"{refund}failure": ""}))
    return Coalesce(failed, 0) - Coalesce(Sum(f"{refund}again"), 0)


def left_of(payment: Payment) -> int:
    """The same of one payment."""
    return int(payment.refunds.aggregate(left=left())["left"])


def look_for(*, payment: Payment) -> None:
    """Asks the provider whether any of our refunds has failed; each that has is said once."""
    if not (hopeful := list(payment.refunds.filter(failure=""))):
        return
    failed = providers.of(payment.provider).failed_refunds(payment)
    for refund in hopeful:
        if why := failed.get(str(refund.pk)):
            _note(refund, why[:200])


def _note(refund: Refund, why: str) -> None:
    if Refund.objects.filter(pk=refund.pk, failure="").update(failure=why):
        ids = {"payment_id": str(refund.payment_id), "refund_id": str(refund.pk)}
        log.error("a refund failed at its provider: the customer has not got it", **ids, amount=refund.amount, why=why)
