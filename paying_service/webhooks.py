"""The inbox of what providers send: kept as it came, once for each event id, answered, and looked into afterwards."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict

import structlog
from django.db import transaction

from paying_service import checkout, failed_refunds, providers
from paying_service.models import Payment, WebhookEvent
from paying_service.providers.port import Event
from shopkit.errors import Conflict, found
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

WEBHOOK = "webhook"
log = structlog.get_logger()


def take(*, provider: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Keeps a signed event; False when it was here before.

    `NotFound` for a provider there is not; `Unauthenticated`: `bad_signature`, `stale_webhook`;
    `Invalid("malformed_webhook")`.
    """
    found(provider if provider in providers.offered() else None)
    event = providers.of(provider).parse_webhook(body, headers)
    with transaction.atomic():
        _kept, new = WebhookEvent.objects.get_or_create(
            provider=provider, event_id=event.id, defaults={"raw": body.decode()}
        )
        if new:
            outbox.put(kind=WEBHOOK, payload={"provider": provider, **asdict(event)})
    return new


def look_into(message: Message) -> None:
    """An event says that something happened; what, the provider is asked.

    One that does not fit counts for nothing, and is logged with why: `unknown_payment`, `amount_differs`.
    """
    provider = message.payload["provider"]
    event = Event(**{name: message.payload[name] for name in message.payload if name != "provider"})
    payment = _about(provider, event)
    if payment is None or not _fits(event, payment):
        code = "amount_differs" if payment else "unknown_payment"
        log.warning("webhook does not fit", code=code, provider=provider, event_id=event.id, ref=event.ref)
        return
    with suppress(Conflict):  # the money differs, which is logged; asking again would not change it
        checkout.hear(payment_id=payment.pk)
    failed_refunds.look_for(payment=payment)


def _fits(event: Event, payment: Payment) -> bool:
    return event.amount is None or (event.amount, event.currency) == (payment.amount, payment.currency)


def _about(provider: str, event: Event) -> Payment | None:
    ours = Payment.objects.filter(provider=provider).exclude(provider_ref="")
    if event.ref and (payment := ours.filter(provider_ref=event.ref).first()):
        return payment
    with suppress(ValueError):
        return ours.filter(pk=uuid.UUID(event.payment_id)).first()
    return None
