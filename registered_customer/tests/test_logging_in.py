"""Logging in over HTTP: one answer for whatever is wrong, and not too many tries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from registered_customer import accounts, limits
from registered_customer.models import Account, Customer
from registered_customer.tests.conftest import EMAIL, PASSWORD, make_account
from shopkit.auth import Identity, of_token
from shopkit.errors import ShopError
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db
LOGIN = "/api/auth/login/"
Log = Callable[..., Any]


@pytest.fixture
def log_in(anybody: Caller) -> Log:
    def posted(password: str = PASSWORD, email: str = EMAIL, **more: Any) -> Any:
        return anybody.post(LOGIN, {"email": email, "password": password}, **more)

    return posted


def test_who_has_an_account_gets_a_session_and_the_profile(log_in: Log, account: Account) -> None:
    answer = log_in(email="Ada@Example.COM")
    assert (answer.status_code, set(answer.json())) == (200, {"access", "refresh", "customer"})
    customer = answer.json()["customer"]
    assert (customer["id"], customer["customer_type"], customer["email"]) == ("123", "registered", EMAIL)
    assert (customer["first_name"], customer["email_verified"]) == ("Ada", True)
    assert "password" not in customer


def test_username_is_taken_for_email(anybody: Caller, account: Account) -> None:
    assert anybody.post(LOGIN, {"username": EMAIL, "password": PASSWORD}).status_code == 200
    assert anybody.post(LOGIN, {"username": "ada", "password": PASSWORD}).status_code == 401
    assert anybody.post(LOGIN, {"password": PASSWORD}).status_code == 400


def test_a_session_is_of_the_accounts_type_and_role(log_in: Log, account: Account) -> None:
    Account.objects.update(customer_type="vip")
    Customer.objects.filter(pk="123").update(moved_to="vip", email=None)
    session = log_in().json()
    assert session["customer"] == {"id": "123", "customer_type": "vip", "email": EMAIL}
    assert of_token(f"Bearer {session['access']}") == Identity("123", "vip")


def test_whatever_is_wrong_the_answer_is_the_same(log_in: Log, account: Account) -> None:
    make_account("124", "shut@example.com", active=False)
    make_account("125", "sample@example.com")
    Account.objects.filter(pk="125").update(password="!")
    wrong = [
        log_in("wrong"),
        log_in(email="nobody@example.com"),
        log_in(email="shut@example.com"),
        log_in(email="sample@example.com"),
        log_in("!", email="sample@example.com"),
    ]
    assert {answer.status_code for answer in wrong} == {401}
    assert {(answer.json()["code"], answer.json()["error"], str(answer.json()["details"])) for answer in wrong} == {
        ("invalid_credentials", "Email or password is wrong, or the address is not verified yet.", "{}")
    }
    assert {answer["WWW-Authenticate"] for answer in wrong} == {"Bearer"}


def test_after_ten_failures_an_account_is_shut_for_a_while_even_to_the_right_password(
    log_in: Log, account: Account
) -> None:
    assert [log_in("wrong").status_code for _ in range(10)] == [401] * 10
    late = log_in()
    assert (late.status_code, late.json()["code"]) == (429, "throttled")
    assert 0 < int(late["Retry-After"]) <= 15 * 60 + 1


def test_an_email_without_account_is_shut_in_the_same_way(log_in: Log) -> None:
    assert [log_in(email="nobody@example.com").status_code for _ in range(11)] == [401] * 10 + [429]
    assert log_in(email="Nobody@example.com").status_code == 429


def test_a_success_makes_an_account_forget_its_failures(log_in: Log, account: Account) -> None:
    for _ in range(3):
        assert [log_in("wrong").status_code for _ in range(9)] == [401] * 9
        assert log_in().status_code == 200


def test_an_address_is_shut_after_many_failures_and_a_success_does_not_help(
    log_in: Log, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN", limits.Limits(limits.LOGIN.account, limits.Limit("few", 4, 3600)))
    assert [log_in(email=f"{number}@example.com").status_code for number in range(3)] == [401] * 3
    assert [log_in().status_code for _ in range(3)] == [200] * 3
    assert [log_in("wrong").status_code, log_in().status_code] == [401, 429]
    assert log_in(REMOTE_ADDR="198.51.100.7").status_code == 200


def test_who_is_at_the_port_itself_can_not_say_they_are_somebody_else(log_in: Log) -> None:
    for _ in range(limits.LOGIN.address.times):
        limits.LOGIN.address.count("203.0.113.5")
    forged = log_in(REMOTE_ADDR="203.0.113.5", HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert forged.status_code == 429
    assert log_in(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7, 127.0.0.1").status_code == 401


def test_a_password_that_was_hashed_in_another_way_is_hashed_anew(log_in: Log, account: Account) -> None:
    Account.objects.update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    assert log_in("wrong").status_code == 401
    assert Account.objects.get().password.startswith("pbkdf2_sha256$")
    assert log_in().status_code == 200
    assert Account.objects.get().password.startswith("argon2$")
    assert log_in().status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_are_not_more_tries(account: Account) -> None:
    def try_one(_number: int) -> str:
        try:
            accounts.log_in(email=EMAIL, password="wrong", address="a")
        except ShopError as error:
            return error.code
        return ""

    codes = at_once(try_one, 24)
    assert (codes.count("invalid_credentials"), codes.count("throttled")) == (10, 14)


def test_the_log_in_of_a_customer_who_is_deleted_is_gone(log_in: Log, account: Account, ended: list[str]) -> None:
    me = Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="123", HTTP_X_CUSTOMER_TYPE="registered")
    assert me.delete("/api/customers/me/").status_code == 204
    assert not Account.objects.exists()
    assert ended == ["123"]
    assert log_in().status_code == 401


def test_a_customer_can_not_take_another_email_without_showing_it_to_be_theirs(account: Account) -> None:
    make_account("124", "bob@example.com")
    me = Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="123", HTTP_X_CUSTOMER_TYPE="registered")
    for email in ("new@example.com", "bob@example.com"):
        answer = me.patch("/api/customers/me/", {"email": email, "first_name": "A"})
        assert (answer.status_code, answer.json()["email"], answer.json()["first_name"]) == (200, EMAIL, "A")


def test_staff_can_not_make_a_customer_with_the_email_of_an_account_elsewhere(staff: Caller, account: Account) -> None:
    Customer.objects.filter(pk="123").update(moved_to="vip", email=None)
    answer = staff.post("/api/customers/", {"email": EMAIL})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["ada@éxample.com", "ádá@example.com", "ada@example.com\u00a0x", "ada\u00ad@example.com"]
)
def test_another_spelling_is_another_address_and_no_further_try(log_in: Log, account: Account, email: str) -> None:
    """MySQL takes é for e, so each spelling would have had ten tries of its own."""
    assert log_in(email=email).status_code == 401


def test_a_domain_may_be_written_as_people_write_it(log_in: Log, db: None) -> None:
    make_account("124", "ada@xn--xample-9ua.com")
    assert log_in(email="Ada@Éxample.com").status_code == 200


def test_tries_count_together_however_the_address_is_written(log_in: Log, account: Account) -> None:
    ways = [EMAIL, "Ada@Example.com", " ada@example.com", "ada@ｅxample.com"]
    answers = [log_in("wrong", email=ways[number % 4]).status_code for number in range(11)]
    assert answers == [401] * 10 + [429]
