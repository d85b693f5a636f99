"""A payment of Ada's."""

import uuid
from typing import Any

import pytest

from paying_service.keys import keys
from paying_service.tests.razorpays import razorpay_api
from paying_service.tests.stripes import stripe_api
from shopkit.testing import Caller

__all__ = ["razorpay_api", "stripe_api"]


def demand(**changes: Any) -> dict[str, Any]:
    """What staff post to ask Ada for money."""
    values = {"order_id": str(uuid.uuid4()), "customer_id": "ada", "provider": "simulated", "method": "card"}
    return {**values, "amount": "64.98", "currency": "USD", **changes}


@pytest.fixture(autouse=True)
def _no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated provider sends no webhooks, but in the tests that are about them."""
    monkeypatch.setattr(keys(), "simulated_lost", 1.0)


@pytest.fixture
def payment(staff: Caller) -> str:
    """The path of a pending payment of Ada's."""
    return f"/api/payments/{staff.post('/api/payments/', demand()).data['id']}/"
