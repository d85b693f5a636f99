"""Changing a password and choosing a new one, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone

from registered_customer import accounts, passwords, resets
from registered_customer.models import Account, PasswordReset, Session
from registered_customer.tests.conftest import EMAIL, PASSWORD, Mailbox, make_account, token_in
from shopkit.errors import Conflict, ShopError, Unauthenticated
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db
CHANGE, RESET, CONFIRM = "/api/auth/password/change/", "/api/auth/password/reset/", "/api/auth/password/reset/confirm/"
NEW = "another fine password"
Change = Callable[..., Any]


@pytest.fixture
def change(account: Account) -> Change:
    me = Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="123", HTTP_X_CUSTOMER_TYPE="registered")

    def posted(old: str = PASSWORD, new: str = NEW) -> Any:
        return me.post(CHANGE, {"old_password": old, "new_password": new})

    return posted


@pytest.fixture
def token(account: Account, anybody: Caller, delivered: Mailbox) -> str:
    return asked_for(anybody, delivered)


def asked_for(anybody: Caller, delivered: Mailbox, email: str = EMAIL) -> str:
    assert anybody.post(RESET, {"email": email}).status_code == 202
    (sent,) = delivered()
    assert (sent.to, sent.subject) == ([email], "Choose a new password")
    assert "http://localhost:8000/reset-password?token=" in sent.body
    return token_in(sent)


def has(password: str, pk: str = "123") -> bool:
    return check_password(password, Account.objects.get(pk=pk).password)


def test_a_changed_password_ends_all_sessions_and_opens_one(change: Change, ended: list[str]) -> None:
    before = Account.objects.get().password_changed_at
    answer = change()
    assert (answer.status_code, set(answer.json())) == (200, {"access", "refresh"})
    assert ended == ["123"]
    assert has(NEW)
    assert Account.objects.get().password_changed_at > before


def test_a_wrong_old_password_changes_nothing_and_may_not_be_guessed(change: Change, ended: list[str]) -> None:
    answers = [change(old="wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert (answers[0].json()["code"], list(answers[0].json()["details"])) == ("wrong_password", ["old_password"])
    assert ended == []
    assert has(PASSWORD)


def test_a_weak_new_password_is_refused(change: Change, token: str, anybody: Caller) -> None:
    for answer in (change(new="12345678"), anybody.post(CONFIRM, {"token": token, "new_password": "ada@example.com"})):
        assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
        assert list(answer.json()["details"]) == ["new_password"]
    assert anybody.post(CONFIRM, {"token": token, "new_password": NEW}).status_code == 200  # the token is not used up


def test_changing_needs_an_account(anybody: Caller, staff: Caller) -> None:
    for who in (anybody, staff):
        assert who.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW}).status_code == 404


def test_a_forgotten_password_is_replaced_with_the_mailed_token(token: str, anybody: Caller, ended: list[str]) -> None:
    answer = anybody.post(CONFIRM, {"token": token, "new_password": NEW})
    assert (answer.status_code, set(answer.json())) == (200, {"message"})
    assert has(NEW)
    assert ended == ["123"]
    assert anybody.post("/api/auth/login/", {"email": EMAIL, "password": NEW}).status_code == 200


def test_a_token_counts_once_and_for_an_hour(token: str, anybody: Caller, delivered: Mailbox) -> None:
    second = asked_for(anybody, delivered)
    old = asked_for(anybody, delivered)
    assert anybody.post(CONFIRM, {"token": token, "new_password": NEW}).status_code == 200
    for each in (token, second, old, "nonsense"):  # the others of that account count no more either
        answer = anybody.post(CONFIRM, {"token": each, "new_password": "yet another password"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    late = asked_for(anybody, delivered)
    PasswordReset.objects.filter(used_at=None).update(expires_at=timezone.now())
    assert anybody.post(CONFIRM, {"token": late, "new_password": PASSWORD}).status_code == 400
    assert has(NEW)


def test_a_token_counts_no_more_once_the_password_was_changed(token: str, anybody: Caller, change: Change) -> None:
    assert change().status_code == 200
    assert anybody.post(CONFIRM, {"token": token, "new_password": "yet another password"}).status_code == 400


def test_who_shut_an_account_by_guessing_does_not_keep_its_owner_out(token: str, anybody: Caller) -> None:
    for _ in range(11):
        anybody.post("/api/auth/login/", {"email": EMAIL, "password": "wrong"})
    assert anybody.post(CONFIRM, {"token": token, "new_password": NEW}).status_code == 200
    assert anybody.post("/api/auth/login/", {"email": EMAIL, "password": NEW}).status_code == 200


@pytest.mark.parametrize("more", [{"customer_type": "vip"}, {"role": "staff"}, {"password": "!"}])
def test_it_is_for_every_account(anybody: Caller, delivered: Mailbox, db: None, more: dict[str, str]) -> None:
    make_account("9", "other@example.com")
    Account.objects.filter(pk="9").update(**more)
    token = asked_for(anybody, delivered, "other@example.com")
    assert anybody.post(CONFIRM, {"token": token, "new_password": NEW}).status_code == 200
    assert has(NEW, "9")


def test_but_nothing_is_mailed_to_who_has_none_or_whose_is_shut(anybody: Caller, delivered: Mailbox, db: None) -> None:
    make_account("9", "shut@example.com", active=False)
    for email in ("shut@example.com", "nobody@example.com"):
        assert anybody.post(RESET, {"email": email}).status_code == 202
    assert delivered() == []


def test_an_account_that_is_shut_meanwhile_stays_as_it_is(token: str, anybody: Caller) -> None:
    Account.objects.update(active=False)
    assert anybody.post(CONFIRM, {"token": token, "new_password": NEW}).status_code == 400
    assert has(PASSWORD)


def test_mail_is_not_asked_for_too_often(anybody: Caller, account: Account) -> None:
    for email in (EMAIL, "nobody@example.com"):
        assert [anybody.post(RESET, {"email": email}).status_code for _ in range(6)] == [202] * 5 + [429]


def test_old_resets_are_deleted(token: str) -> None:
    resets.forget_old()
    assert PasswordReset.objects.exists()
    PasswordReset.objects.update(expires_at=timezone.now() - timedelta(days=2))
    resets.forget_old()
    assert not PasswordReset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_token_used_many_times_at_once_sets_one_password(token: str) -> None:
    def confirm(number: int) -> str:
        try:
            resets.confirm(token=token, password=f"{NEW} {number}")
        except ShopError as error:
            return error.code
        return str(number)

    outcomes = at_once(confirm, 8)
    (winner,) = [outcome for outcome in outcomes if outcome.isdigit()]
    assert outcomes.count("invalid_token") == 7
    assert has(f"{NEW} {winner}")


@pytest.fixture
def _changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody's old password is looked at, which takes its time, the owner has changed it."""
    is_right = passwords.is_right

    def slowly(password: str, account: Account | None) -> bool:
        right = is_right(password, account)
        with transaction.atomic():
            assert passwords.replace(Account.objects.get(), "a new battery staple")
        return right

    monkeypatch.setattr(passwords, "is_right", slowly)


@pytest.mark.usefixtures("_changed_meanwhile")
def test_a_login_that_a_new_password_overtakes_gets_no_session(account: Account) -> None:
    with pytest.raises(Unauthenticated):
        accounts.log_in(email=EMAIL, password=PASSWORD, address="192.0.2.1")
    assert not Session.objects.filter(revoked_at=None).exists()


@pytest.mark.usefixtures("_changed_meanwhile")
def test_a_change_that_another_overtakes_changes_nothing(account: Account) -> None:
    with pytest.raises(Conflict):
        accounts.change_password(account_id="123", old=PASSWORD, new="of somebody else 7", address="192.0.2.1")
    assert check_password("a new battery staple", Account.objects.get().password)


def test_an_account_that_is_shut_while_its_password_is_looked_at_opens_no_session(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "is_right", lambda *_: bool(Account.objects.update(active=False)))
    with pytest.raises(Unauthenticated):
        accounts.log_in(email=EMAIL, password=PASSWORD, address="192.0.2.1")
    assert not Session.objects.exists()
