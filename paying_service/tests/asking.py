"""The order service as it asks for payments, the provider's books, and what is told of them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from paying_service.models import Payment, SimulatedCharge
from paying_service.providers import simulated
from shopkit.auth import Identity
from shopkit.outbox.models import Message
from shopkit.testing import Caller

SUCCEEDS, DECLINED, INSUFFICIENT = "4111111111111111", "4000000000000002", "4000000000009995"
NEEDS_CONFIRMATION, LATE = "4000002500003155", "4000000000000341"
AMOUNT = 6498


def order_service() -> Caller:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    return client


def wanted(token: str = SUCCEEDS, **changes: Any) -> dict[str, Any]:
    values = {"payment_id": str(uuid.uuid4()), "order_id": str(uuid.uuid4()), "customer_id": "ada"}
    values |= {"customer_type": "registered", "provider": "simulated", "method": "card", "token": token}
    return {**values, "amount": AMOUNT, "currency": "USD", **changes}


def opened(token: str = SUCCEEDS, **changes: Any) -> str:
    answer = order_service().post("/internal/payments/", wanted(token, **changes))
    assert answer.status_code == 201
    return str(answer.data["id"])


def ask(payment: str, step: str, **body: Any) -> tuple[int, str]:
    """The answer's status code, and the payment's status or the error's code."""
    answer = order_service().post(f"/internal/payments/{payment}/{step}/", body)
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


def refund(payment: str, amount: int | None = None, refund_id: str = "") -> tuple[int, str]:
    return ask(payment, "refunds", refund_id=refund_id or str(uuid.uuid4()), amount=amount)


def captured(token: str = SUCCEEDS) -> str:
    payment = opened(token)
    assert ask(payment, "authorise") == (200, "authorised")
    assert ask(payment, "capture") == (200, "captured")
    return payment


def shown(payment: str) -> tuple[str, int, int]:
    """Status, captured and refunded, as the order service is answered."""
    body = order_service().get(f"/internal/payments/{payment}/").json()
    return body["status"], body["captured"], body["refunded"]


def books() -> list[tuple[str, int, int]]:
    """The provider's: status, captured and refunded of every charge."""
    return [(each.status, each.captured, sum(each.refunds.values())) for each in SimulatedCharge.objects.all()]


def row(payment: str) -> Payment:
    return Payment.objects.get(pk=payment)


def news(payment: str) -> int:
    """How often the order was to be told of this payment."""
    return Message.objects.filter(kind="payment_changed", payload={"payment_id": payment}).count()


def forget_news() -> None:
    Message.objects.all().delete()


def time_for_a_look() -> None:
    """As if every payment that waits had waited long enough."""
    Payment.objects.filter(look_at__isnull=False).update(look_at=timezone.now() - timedelta(seconds=1))


class DiesError(Exception):
    """The process ended here."""


def dies_once(patch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    """The next call of it does nothing but die."""
    real, left = getattr(where, name), [1]

    def dying(*given: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise DiesError
        return real(*given, **named)

    patch.setattr(where, name, dying)


def clock(patch: pytest.MonkeyPatch, later: timedelta) -> None:
    """The provider's clock goes ahead of ours."""

    class Ahead:
        @staticmethod
        def now() -> Any:
            return timezone.now() + later

    patch.setattr(simulated, "timezone", Ahead)


def due(customer: str | None = "ada", amount: int = AMOUNT, customer_type: str = "vip") -> str:
    order = str(uuid.uuid4())
    body = {
        "order_id": order,
        "customer_id": customer,
        "customer_type": customer_type,
        "amount": amount,
        "currency": "USD",
    }
    assert order_service().post("/internal/dues/", body).status_code == 204
    return order


def offer(order: str, **changes: Any) -> dict[str, Any]:
    return {"order_id": order, "provider": "simulated", "method": "card", "token": SUCCEEDS, **changes}
