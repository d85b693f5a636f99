"""Stripe's API as its answers were recorded, cut down to what is read, and its webhooks as it signs them."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses
from stripe import WebhookSignature

from paying_service.keys import keys
from paying_service.tests.asking import AMOUNT

API = "https://api.stripe.com/v1"
CARD = "pm_1PgafyB7WZ01zgkWhaeTgYh0"
SECRETS = ["whsec_today", "whsec_yesterday"]
INTENT, SESSION, CHARGE = "pi_3MtwBwLkdIwHu7ix28a3tqPa", "cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW", "ch_3MmlLrLkdI"
INTENT_SECRET = f"{INTENT}_secret_YrKJUKribcBjcG8HVhfZluoGH"


def intent(status: str = "requires_payment_method", **changes: Any) -> dict[str, Any]:
    taken = AMOUNT if status == "succeeded" else 0
    body = {"id": INTENT, "object": "payment_intent", "amount": AMOUNT, "amount_received": taken, "currency": "usd"}
    body |= {"capture_method": "manual", "client_secret": INTENT_SECRET}
    body |= {"last_payment_error": None, "latest_charge": None, "next_action": None, "metadata": {}, "status": status}
    return {**body, **changes}


def session(status: str = "open", paid_by: Any = None, **changes: Any) -> dict[str, Any]:
    url = f"https://checkout.stripe.com/c/pay/{SESSION}" if status == "open" else None
    body = {"id": SESSION, "object": "checkout.session", "amount_total": AMOUNT, "currency": "usd", "url": url}
    return {**body, "payment_intent": paid_by, "status": status, "metadata": {}, "client_secret": None, **changes}


def charge(refunded: int) -> dict[str, Any]:
    return {"id": CHARGE, "object": "charge", "amount": AMOUNT, "amount_refunded": refunded}


def error(kind: str, code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "Stripe says no.", **more}}


class Stripe:
    """Answers as Stripe does; what it was asked is in `asked`: method and path, form fields and idempotency key."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """From now on; a body that is an exception is raised instead."""
        for before in [each for each in self.mock.registered() if each.url == f"{API}{path}" and each.method == method]:
            self.mock.remove(before)
        given = {"body": body} if isinstance(body, Exception) else {"json": body}
        self.mock.add(method, f"{API}{path}", status=status, **given)

    @property
    def asked(self) -> list[tuple[str, dict[str, list[str]], str | None]]:
        return [
            (
                f"{call.request.method} {call.request.path_url.partition('?')[0].removeprefix('/v1')}",
                parse_qs(call.request.body or ""),
                call.request.headers.get("Idempotency-Key"),
            )
            for call in self.mock.calls
        ]

    def times(self, what: str) -> int:
        return [name for name, _, _ in self.asked].count(what)

    def intent_is(self, status: str, **changes: Any) -> None:
        self.says("GET", f"/payment_intents/{INTENT}", intent(status, **changes))


@pytest.fixture
def stripe_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stripe]:
    monkeypatch.setattr(keys(), "stripe_secret_key", "sk_test_123")
    monkeypatch.setattr(keys(), "stripe_publishable_key", "pk_test_123")
    monkeypatch.setattr(keys(), "given_stripe_secrets", ", ".join(SECRETS))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        api = Stripe(mock)
        api.says("POST", "/payment_intents", intent())
        api.intent_is("requires_payment_method")
        yield api


def event(about: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": "payment_intent.succeeded"}
    return {**body, "created": int(time.time()), "data": {"object": about}, **changes}


def signed(body: Any, *, secret: str = SECRETS[0], ago: int = 0) -> tuple[bytes, dict[str, str]]:
    """The raw body and its headers, by the SDK's own signing."""
    raw = json.dumps(body)
    header = WebhookSignature.generate_signature_header(raw, secret, int(time.time()) - ago)
    return raw.encode(), {"Stripe-Signature": header}
