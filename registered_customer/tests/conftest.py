"""Accounts for the tests, and the mail that they get."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from rest_framework.test import APIClient

from registered_customer import accounts, passwords
from registered_customer import staff as staff_accounts
from registered_customer.models import Account, Customer
from shopkit import throttle
from shopkit.auth import Identity
from shopkit.outbox import delivery
from shopkit.testing import Caller

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
Mailbox = Callable[[], list[Any]]


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = throttle._Windows(None)
    monkeypatch.setattr(throttle, "windows", lambda: windows)


@pytest.fixture
def anybody() -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="guest-1", HTTP_X_CUSTOMER_TYPE="guest")


@pytest.fixture
def router() -> APIClient:
    """One of our own services."""
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="customer_router"))  # type: ignore[arg-type]
    return client


@pytest.fixture
def account(db: None) -> Account:
    return make_account()


def make_account(customer_id: str = "123", email: str = EMAIL, **more: Any) -> Account:
    Customer.objects.create(id=customer_id, email=email, first_name="Ada", email_verified=True)
    return Account.objects.create(id=customer_id, email=email, password=make_password(PASSWORD), **more)


@pytest.fixture
def delivered() -> Mailbox:
    """Has the courier deliver what waits; the mails since the last time."""

    def deliver() -> list[Any]:
        mail.outbox.clear()
        delivery.deliver_due()
        return list(mail.outbox)

    return deliver


def token_in(sent: Any) -> str:
    """The token of a mail, which its link has too, and its HTML."""
    found = re.search(r"\?token=([\w-]+)\n", sent.body)
    assert found
    assert f"\n{found[1]}\n" in sent.body
    assert found[1] in sent.alternatives[0][0]
    return found[1]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose sessions have been ended."""
    subjects: list[str] = []

    def close_all(*, subject: str) -> None:
        subjects.append(subject)

    for module in (accounts, passwords, staff_accounts):
        monkeypatch.setattr(module, "close_all", close_all)
    return subjects
