"""How a customer comes to pay by themselves: on the provider's page, or in the shop's with the provider's script."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from paying_service import checkout, providers
from paying_service.models import Due, Payment, Status
from paying_service.providers.port import Begun
from shopkit.auth import Identity
from shopkit.errors import Conflict

_OVER = (Status.FAILED, Status.VOIDED)
_WAITS = (Status.PENDING, Status.REQUIRES_ACTION)


@dataclass(frozen=True)
class Session:
    """A payment and what its customer's browser needs for it; `key` names the shop at the provider."""

    payment: Payment
    begun: Begun
    key: str


def begin(*, order_id: uuid.UUID, identity: Identity, provider: str, method: str, way: str) -> Session:
    """A way to pay for an order of theirs that waits for it, `Payment.HOSTED` or `INTENT`; asked again, the same.

    `Invalid`: `unknown_provider`, `unknown_order`; `Conflict`: `payment_open` when it is being paid in another way,
    `payment_refused` by the provider.
    """
    chosen = providers.chosen(provider)
    due = checkout.due_of(order_id=order_id, identity=identity)
    payment = _open(order_id)
    if payment is None:
        payment = Payment(provider=provider, method=method, handle=way, **due)
        begun = chosen.begin(payment)
        _keep(payment, begun)
    elif (payment.provider, payment.handle) == (provider, way) and payment.status in _WAITS and payment.provider_ref:
        begun = chosen.begin(payment)
    else:
        raise _taken()
    return Session(payment, begun, chosen.public_key())


def secret_of(payment: Payment) -> str:
    """What lets whoever has it pay, empty where the provider has none: for its customer's browser, and kept nowhere."""
    return providers.of(payment.provider).begin(payment).secret


@transaction.atomic
def _keep(payment: Payment, begun: Begun) -> None:
    """From here on the order knows of it, and so do the polls. One that lost a race was never shown to anybody."""
    Due.objects.select_for_update().get(pk=payment.order_id)
    if _open(payment.order_id):
        raise _taken()
    payment.provider_ref, payment.action_url = begun.ref, begun.url
    payment.status, payment.look_at = Status.REQUIRES_ACTION, timezone.now() + checkout.LOOK_AFTER
    payment.save(force_insert=True)
    checkout.tell(payment)


def _open(order_id: uuid.UUID) -> Payment | None:
    """The order's payment that counts, or may yet."""
    return Payment.objects.filter(order_id=order_id, void_asked=False).exclude(status__in=_OVER).first()


def _taken() -> Conflict:
    return Conflict("This order is paid already, or is being paid in another way.", code="payment_open")


def verify(*, payment: Payment, proof: Mapping[str, Any]) -> Payment:
    """The payment as the provider has it, once its customer says that they paid. `Invalid("bad_signature")`."""
    providers.of(payment.provider).check_proof(payment, proof)
    return checkout.look(payment_id=payment.pk)
