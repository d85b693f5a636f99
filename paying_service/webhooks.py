"""The inbox of what providers send: kept as it came, once for each event id, answered, and looked into afterwards."""

import json
import re
from typing import Any

import structlog
from django.db import transaction

from paying_service import checkout, simulated
from paying_service.models import Payment, Provider, WebhookEvent
from shopkit.errors import Invalid
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

WEBHOOK = "webhook"
_WORD = re.compile("[!-~]{1,100}")
log = structlog.get_logger()


def take(*, body: bytes, signature: str) -> bool:
    """Keeps a signed event; False when it was here before.

    `Unauthenticated`: `bad_signature`, `stale_webhook`; `Invalid("malformed_webhook")`.
    """
    simulated.check_signature(body, signature)
    event = _parsed(body)
    with transaction.atomic():
        fields = {"raw": body.decode()}
        kept, new = WebhookEvent.objects.get_or_create(
            provider=Provider.SIMULATED, event_id=event["id"], defaults=fields
        )
        if new:
            outbox.put(kind=WEBHOOK, payload={"event": kept.pk})
    return new


def _parsed(body: bytes) -> dict[str, Any]:
    """`{id, charge, amount, currency}`, all of them words but the amount."""
    try:
        event = json.loads(body.decode())
        if all(_WORD.fullmatch(event[name]) for name in ("id", "charge", "currency")) and type(event["amount"]) is int:
            return {name: event[name] for name in ("id", "charge", "amount", "currency")}
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise Invalid("This webhook is none that we know.", code="malformed_webhook")


def look_into(message: Message) -> None:
    """An event says that something happened; what, the provider is asked. One that does not fit counts for nothing."""
    event = _parsed(WebhookEvent.objects.get(pk=message.payload["event"]).raw.encode())
    payment = Payment.objects.filter(provider_ref=event["charge"]).first()
    if payment is None or (payment.amount, payment.currency) != (event["amount"], event["currency"]):
        log.warning("webhook does not fit", event_id=event["id"], charge=event["charge"])
        return
    checkout.look(payment_id=payment.pk)
