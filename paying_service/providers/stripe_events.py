"""What Stripe's webhooks say, by its own signature."""

import re
from collections.abc import Mapping
from typing import Any

import stripe

from paying_service.keys import keys
from paying_service.providers import webhook
from paying_service.providers.port import Event
from shopkit.signature import check_time


def parse_webhook(body: bytes, headers: Mapping[str, str]) -> Event:
    """A snapshot event, by its `Stripe-Signature`; of what is about no payment, only the id."""
    _check_signature(body, headers.get("Stripe-Signature", ""))
    sent = webhook.parsed(body)
    try:
        return webhook.checked(_event(sent["id"], sent["data"]["object"]))
    except (LookupError, TypeError, AttributeError):
        raise webhook.malformed() from None


def _event(event_id: str, about: dict[str, Any]) -> Event:
    name = (about.get("metadata") or {}).get("payment_id") or ""
    currency = (about.get("currency") or "").upper()
    if about["object"] == "checkout.session":
        return Event(event_id, about["id"], name, about["amount_total"], currency)
    if about["object"] == "payment_intent":
        return Event(event_id, about["id"], name, about["amount"], currency)
    if about["object"] == "charge":
        return Event(event_id, about["payment_intent"] or "", name, about["amount"], currency)
    return Event(event_id, about.get("payment_intent") or "", name)  # a refund, a dispute: in amounts of their own


def _check_signature(body: bytes, header: str) -> None:
    given = re.match(r"t=([0-9]{1,12}),", header)  # where Stripe has it, so that the SDK reads no other
    live = keys().stripe_webhook_secrets
    if not given or not header.isascii() or not any(_made(body, header, secret) for secret in live):
        raise webhook.unsigned()
    check_time(int(given[1]))


def _made(body: bytes, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
    except (stripe.SignatureVerificationError, ValueError):  # a ValueError: the body is no text
        return False
