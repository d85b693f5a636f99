"""How often mail may be asked for and passwords guessed over HTTP: by address and by account, each by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from registered_customer import limits
from registered_customer.models import Account
from registered_customer.tests.conftest import EMAIL, PASSWORD
from shopkit.testing import Caller, bearer
from shopkit.throttle import Limit

pytestmark = pytest.mark.django_db
ACCOUNT, ADDRESS = 3, 5  # tries


@dataclass(frozen=True)
class Try:
    """Something that is counted: for the account with that email, from that address."""

    limit: str
    make: Callable[[str, dict[str, str]], Any]
    allowed: int

    def __call__(self, email: str, address: str) -> int:
        status = self.make(email, {"REMOTE_ADDR": address}).status_code
        assert status in (self.allowed, 429)
        return int(status)


def register(email: str, by: dict[str, str]) -> Any:
    return anybody().post("/api/auth/register/", {"email": email, "password": PASSWORD}, **by)


def resend(email: str, by: dict[str, str]) -> Any:
    return anybody().post("/api/auth/verify-email/resend/", {"email": email}, **by)


def reset(email: str, by: dict[str, str]) -> Any:
    return anybody().post("/api/auth/password/reset/", {"email": email}, **by)


def change(email: str, by: dict[str, str]) -> Any:
    """With a wrong password: a right one is forgiven."""
    wish = {"old_password": "wrong", "new_password": "another fine password"}
    return bearer(Account.objects.get(email=email).pk).post("/api/auth/password/change/", wish, **by)


def anybody() -> Caller:
    return Caller(HTTP_HOST="localhost")


TRIES = [
    Try("REGISTER", register, 201),
    Try("RESEND", resend, 202),
    Try("RESET", reset, 202),
    Try("CHANGE", change, 400),
]


@pytest.fixture(params=TRIES, ids=[each.limit.lower() for each in TRIES])
def attempt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Try:
    """With fewer tries than there are, of which an address has more than an account, as it does."""
    found: Try = request.param
    real: limits.Limits = getattr(limits, found.limit)
    assert real.account.times < real.address.times
    few = limits.Limits(
        Limit(real.account.name, ACCOUNT, real.account.seconds), Limit(real.address.name, ADDRESS, real.address.seconds)
    )
    monkeypatch.setattr(limits, found.limit, few)
    for email in (EMAIL, *(f"{number}@example.com" for number in range(2, 9))):
        Account.objects.create(email=email, password="!")
    return found


def test_an_account_has_its_tries_from_wherever_they_come(attempt: Try) -> None:
    assert [attempt(EMAIL, f"192.0.2.{number}") for number in range(4)] == [attempt.allowed] * ACCOUNT + [429]
    assert attempt("2@example.com", "192.0.2.1") == attempt.allowed


def test_an_address_has_its_tries_for_whatever_account(attempt: Try) -> None:
    emails = [f"{number}@example.com" for number in range(2, 8)]
    assert [attempt(email, "192.0.2.1") for email in emails] == [attempt.allowed] * ADDRESS + [429]
    assert attempt("8@example.com", "192.0.2.2") == attempt.allowed
