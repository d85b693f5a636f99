"""No answer, and no work that a caller could notice, tells whether an email has an account."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registered_customer.models import Account, Registration
from registered_customer.tests.conftest import EMAIL, PASSWORD, make_account
from shopkit.outbox.models import Message
from shopkit.passwords import Argon2
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NOBODY = "nob@example.com"  # as long as the other
CALLS = {
    "register": {"password": "some fine password", "first_name": "A"},
    "verify-email/resend": {},
    "login": {"password": "wrong password"},
    "password/reset": {},
}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each password hash that is computed."""
    done: list[str] = []

    def counting(method: str) -> Callable[..., Any]:
        real = getattr(Argon2, method)

        def counted(self: Argon2, *args: Any, **more: Any) -> Any:
            done.append("hash")
            return real(self, *args, **more)

        return counted

    for method in ("encode", "verify"):
        monkeypatch.setattr(Argon2, method, counting(method))
    return done


def asked(anybody: Caller, call: str, email: str, hashed: list[str]) -> dict[str, Any]:
    """What a caller gets, and what it took."""
    hashed.clear()
    Message.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        answer = anybody.post(f"/api/auth/{call}/", {"email": email, **CALLS[call]})
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    return {
        "status": answer.status_code,
        "body": str(body).replace(email, "EMAIL"),
        "headers": sorted(set(answer.headers) - {"X-Request-ID"}),
        "statements": [query["sql"].split(" ")[0] for query in queries.captured_queries],
        "hashes": len(hashed),
        "messages": [(each.kind, sorted(each.payload)) for each in Message.objects.all()],
    }


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", ["active", "shut", "without password", "waiting to be verified"])
def test_known_and_unknown_emails_get_the_same_answer_for_the_same_work(
    anybody: Caller, hashed: list[str], call: str, state: str
) -> None:
    if state == "waiting to be verified":
        anybody.post("/api/auth/register/", {"email": EMAIL, "password": PASSWORD})
        assert Registration.objects.exists()
    else:
        make_account(active=state != "shut")
    if state == "without password":
        Account.objects.update(password=hashers.make_password(None))
    known = asked(anybody, call, EMAIL, hashed)
    unknown = asked(anybody, call, NOBODY, hashed)
    assert known == unknown
    assert known["hashes"] == (1 if call in ("register", "login") else 0)
    assert len(known["messages"]) == (0 if call == "login" else 1)
