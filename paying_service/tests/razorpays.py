"""Razorpay's API as its answers were recorded, cut down to what is read, and its webhooks as it signs them."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from paying_service.keys import keys
from paying_service.tests.asking import AMOUNT

API = "https://api.razorpay.com/v1"
SECRETS = ["rzp-today", "rzp-yesterday"]
KEY_SECRET = "rzp-key-secret"
ORDER, PAID = "order_9A33XWu170gUtm", "pay_29QQoUBi66xm2f"


def order(**changes: Any) -> dict[str, Any]:
    body = {"id": ORDER, "entity": "order", "amount": AMOUNT, "amount_paid": 0, "currency": "USD", "status": "created"}
    return {**body, **changes}


def paid(status: str = "authorized", **changes: Any) -> dict[str, Any]:
    body = {"id": PAID, "entity": "payment", "amount": AMOUNT, "currency": "USD", "status": status, "order_id": ORDER}
    body |= {"captured": status in ("captured", "refunded"), "amount_refunded": 0, "refund_status": None}
    return {**body, "error_code": None, "error_description": None, "notes": [], **changes}


def many(*items: dict[str, Any]) -> dict[str, Any]:
    return {"entity": "collection", "count": len(items), "items": list(items)}


def refused(words: str = "The payment has already been captured") -> dict[str, Any]:
    return {"error": {"code": "BAD_REQUEST_ERROR", "description": words, "source": "business"}}


class Razorpay:
    """Answers as Razorpay does; what it was asked is in `asked`: method and path, body and headers."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """From now on; a body that is an exception is raised instead."""
        for before in [each for each in self.mock.registered() if each.url == f"{API}{path}" and each.method == method]:
            self.mock.remove(before)
        given = {"body": body} if isinstance(body, Exception) else {"json": body}
        self.mock.add(method, f"{API}{path}", status=status, **given)

    @property
    def asked(self) -> list[tuple[str, Any, Any]]:
        return [
            (
                f"{call.request.method} {call.request.path_url.partition('?')[0].removeprefix('/v1')}",
                json.loads(call.request.body or "null"),
                call.request.headers,
            )
            for call in self.mock.calls
        ]

    def times(self, what: str) -> int:
        return [name for name, _, _ in self.asked].count(what)

    def has(self, *tried: dict[str, Any]) -> None:
        self.says("GET", f"/orders/{ORDER}/payments", many(*tried))


@pytest.fixture
def razorpay_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Razorpay]:
    monkeypatch.setattr(keys(), "razorpay_key_id", "rzp_test_1")
    monkeypatch.setattr(keys(), "razorpay_key_secret", KEY_SECRET)
    monkeypatch.setattr(keys(), "given_razorpay_secrets", ", ".join(SECRETS))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        api = Razorpay(mock)
        api.says("GET", "/orders", many())
        api.says("POST", "/orders", order())
        api.says("GET", f"/payments/{PAID}/refunds", many())
        api.has()
        yield api


def event(entity: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"entity": "event", "account_id": "acc_1", "event": "payment.authorized", "contains": ["payment"]}
    return {**body, "payload": {"payment": {"entity": entity}}, "created_at": int(time.time()), **changes}


def mac(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(body: Any, *, secret: str = SECRETS[0], event_id: str = "") -> tuple[bytes, dict[str, str]]:
    raw = json.dumps(body)
    headers = {"X-Razorpay-Signature": mac(raw, secret), "X-Razorpay-Event-Id": event_id or uuid.uuid4().hex[:14]}
    return raw.encode(), headers
