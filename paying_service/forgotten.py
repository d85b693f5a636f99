"""Payments that were opened for an order that was never written: who asked for them died, or came second."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from paying_service import checkout
from paying_service.models import Payment, Status
from shopkit import rows, versioned

NEVER_BEGUN = timedelta(days=1)  # longer than any order is kept from asking its provider


def void_forgotten() -> int:
    """Voids what has waited so long without any provider having been asked; how many."""
    opened = Payment.objects.filter(status=Status.PENDING, provider_ref="").exclude(handle="")
    old = opened.filter(created_at__lte=timezone.now() - NEVER_BEGUN).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:100])
    for payment_id in ids:
        _void_unless_begun(payment_id)
    return len(ids)


@transaction.atomic
def _void_unless_begun(payment_id: uuid.UUID) -> None:
    payment = rows.find(Payment, {"pk": payment_id}, lock=True)
    if payment and payment.status == Status.PENDING and not payment.provider_ref:
        versioned.change(payment, void_asked=True, status=Status.VOIDED)
        checkout.tell(payment)
