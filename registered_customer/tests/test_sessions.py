"""An account's session, through refresh tokens: good once, for a month, and until something ends it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registered_customer.models import Account, Session
from registered_customer.tests.conftest import EMAIL, PASSWORD, Mailbox, token_in
from shopkit.auth import Identity, of_token
from shopkit.customers import sessions
from shopkit.testing import Caller, at_once, bearer

pytestmark = pytest.mark.django_db
REFRESH, LOGOUT, CHANGE = "/api/auth/refresh/", "/api/auth/logout/", "/api/auth/password/change/"
RESET, CONFIRM = "/api/auth/password/reset/", "/api/auth/password/reset/confirm/"
NEW = "another fine password"
ANYBODY = Caller(HTTP_HOST="localhost")
Pair = dict[str, Any]


def log_in() -> Pair:
    answer = ANYBODY.post("/api/auth/login/", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


@pytest.fixture
def begun(account: Account) -> Pair:
    return log_in()


def refresh(pair: Pair) -> Any:
    return ANYBODY.post(REFRESH, {"refresh": pair["refresh"]})


def refused(pair: Pair) -> str:
    """With which code."""
    answer = refresh(pair)
    assert answer.status_code == 401, answer.json()
    return str(answer.json()["code"])


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    now = timezone.now() + by
    monkeypatch.setattr(timezone, "now", lambda: now)


def test_one_token_after_another_goes_on_with_the_session(begun: Pair) -> None:
    following = refresh(refresh(begun).json()).json()
    assert set(following) == {"access", "refresh"}
    assert of_token(f"Bearer {following['access']}") == Identity("123", "registered")
    assert Session.objects.count() == 1


def test_who_brings_a_token_from_before_the_last_ends_the_session(begun: Pair) -> None:
    second = refresh(begun).json()
    third = refresh(second).json()
    assert refused(begun) == "refresh_reused"
    assert [refused(pair) for pair in (begun, second, third)] == ["invalid_refresh"] * 3


def test_the_last_token_but_one_counts_for_ten_seconds_more_and_then_ends_the_session(
    begun: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = refresh(begun).json()
    later(monkeypatch, sessions.GRACE - timedelta(seconds=2))
    assert refresh(begun).json()["refresh"] == following["refresh"]
    later(monkeypatch, timedelta(seconds=3))
    assert refused(begun) == "refresh_reused"
    assert refused(following) == "invalid_refresh"


def test_a_session_lasts_for_a_month_from_when_it_was_last_gone_on_with(
    begun: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _month in range(2):
        later(monkeypatch, sessions.LIFETIME - timedelta(minutes=1))
        begun = refresh(begun).json()
    later(monkeypatch, sessions.LIFETIME + timedelta(minutes=1))
    assert refused(begun) == "invalid_refresh"


def test_logging_out_ends_this_session_and_no_other(begun: Pair) -> None:
    elsewhere = log_in()
    assert ANYBODY.post(LOGOUT, {"refresh": begun["refresh"]}).status_code == 204
    assert refused(begun) == "invalid_refresh"
    assert refresh(elsewhere).status_code == 200


def test_after_a_change_of_the_password_its_answers_token_alone_counts(begun: Pair) -> None:
    elsewhere = log_in()
    changed = bearer("123").post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})
    assert changed.status_code == 200
    assert [refused(pair) for pair in (begun, elsewhere)] == ["invalid_refresh"] * 2
    assert refresh(changed.json()).status_code == 200


def test_after_a_forgotten_password_was_replaced_no_token_counts(begun: Pair, delivered: Mailbox) -> None:
    ANYBODY.post(RESET, {"email": EMAIL})
    (sent,) = delivered()
    assert ANYBODY.post(CONFIRM, {"token": token_in(sent), "new_password": NEW}).status_code == 200
    assert refused(begun) == "invalid_refresh"


def delete_them() -> None:
    assert bearer("123").delete("/api/customers/me/").status_code == 204


def shut_it() -> None:
    Account.objects.update(active=False)


@pytest.mark.parametrize("end", [delete_them, shut_it])
def test_without_an_active_account_there_is_no_session(begun: Pair, end: Callable[[], None]) -> None:
    end()
    assert refused(begun) == "invalid_refresh"


def test_a_new_token_says_what_the_account_is_now(begun: Pair) -> None:
    Account.objects.update(customer_type="vip")
    assert of_token(f"Bearer {refresh(begun).json()['access']}") == Identity("123", "vip")


def test_a_token_of_a_session_with_another_secret_ends_it_as_an_old_one_does(begun: Pair) -> None:
    assert refused({"refresh": f"{begun['refresh']}x"}) == "refresh_reused"
    assert refused(begun) == "invalid_refresh"


@pytest.mark.parametrize("named", ["", "guest_customer.", "order_service."])
def test_another_services_token_is_none_here_and_ends_nothing(begun: Pair, named: str) -> None:
    assert refused({"refresh": named + begun["refresh"].removeprefix("registered_customer.")}) == "invalid_refresh"
    assert refresh(begun).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_token_brought_many_times_at_once_gives_one_and_the_same_next(begun: Pair) -> None:
    answers = at_once(lambda _number: refresh(begun), 8)
    assert {answer.status_code for answer in answers} == {200}
    (following,) = {answer.json()["refresh"] for answer in answers}
    assert refresh({"refresh": following}).status_code == 200
