"""Members of staff: made by who runs the shop, and asked for by other services' admins."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.test import Client

from registered_customer import staff as staff_accounts
from registered_customer.models import Account, Customer
from registered_customer.tests.conftest import EMAIL, PASSWORD, make_account
from shopkit.config import ROOT, ConfigurationError, config
from shopkit.sweeper import after_migrating
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
CHECK = "/internal/staff/check/"
BOSS = "boss@example.com"


def make_staff(*arguments: str) -> str:
    output = StringIO()
    call_command("make_staff", *arguments, stdout=output)
    return output.getvalue()


def test_a_new_account_of_staff_gets_a_password_that_is_shown_once(anybody: Caller) -> None:
    password = make_staff("Boss@Example.com").split()[-1]
    account = Account.objects.get()
    assert (account.email, account.role, account.active) == (BOSS, "staff", True)
    assert anybody.post("/api/auth/login/", {"email": BOSS, "password": password}).status_code == 200
    assert not Customer.objects.exists()


def test_an_account_that_is_there_is_promoted_and_keeps_its_password(account: Account, ended: list[str]) -> None:
    assert make_staff(EMAIL) == f"{EMAIL} is staff now.\n"
    account.refresh_from_db()
    assert (account.role, account.pk) == ("staff", "123")
    assert check_password(PASSWORD, account.password)
    assert ended == ["123"]


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    monkeypatch.setenv("BOSS_PASSWORD", "the password of the boss")
    for email in (BOSS, EMAIL):
        assert "password" not in make_staff(email, "--password-env", "BOSS_PASSWORD").lower()
        assert check_password("the password of the boss", Account.objects.get(email=email).password)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        ([BOSS, "--password-env", "NOTHING"], "NOTHING"),
        ([BOSS, "--password-env", "WEAK"], "short"),
    ],
)
def test_what_does_not_do_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], named: str
) -> None:
    monkeypatch.setenv("WEAK", "boss")
    with pytest.raises(CommandError, match=named):
        make_staff(*arguments)
    assert not Account.objects.exists()


def test_where_nothing_has_run_yet_it_says_to_start_the_fleet_first(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    done = subprocess.run(
        [sys.executable, "manage.py", "registered_customer", "make_staff", BOSS],
        cwd=ROOT,
        env={**clean, "SHOP_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert "make run" in line


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    def given(**names: str) -> None:
        monkeypatch.setattr(staff_accounts, "config", lambda: config().model_copy(update=names))

    return given


def test_the_first_member_of_staff_is_made_at_the_start_and_only_then(environment: Any) -> None:
    (make_first,) = after_migrating("registered_customer")
    make_first()
    assert not Account.objects.exists()
    environment(staff_email="Boss@example.com", staff_password=PASSWORD)
    make_first()
    Account.objects.update(role="customer", password="!")
    make_first()  # what has been changed since stays changed
    account = Account.objects.get()
    assert (account.email, account.role, account.password) == (BOSS, "customer", "!")


@pytest.mark.parametrize("password", [None, "boss"])
def test_a_first_member_without_a_good_password_stops_the_start(environment: Any, password: str | None) -> None:
    environment(staff_email=BOSS, staff_password=password)
    with pytest.raises(ConfigurationError, match="SHOP_STAFF_PASSWORD"):
        staff_accounts.make_first()


def test_a_service_may_ask_whether_somebody_is_staff(router: Caller, account: Account) -> None:
    asked = {"email": EMAIL, "password": PASSWORD}
    customer = router.post(CHECK, asked)
    Account.objects.update(role="staff")
    wrong = router.post(CHECK, {**asked, "password": "wrong"})
    for refused in (customer, wrong):
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    answer = router.post(CHECK, asked)
    assert (answer.status_code, answer.json()) == (200, {"id": "123", "email": EMAIL})


def test_and_not_too_often(router: Caller, account: Account) -> None:
    wrong = {"email": EMAIL, "password": "wrong", "address": "198.51.100.7"}
    assert [router.post(CHECK, wrong).status_code for _ in range(11)] == [401] * 10 + [429]


def test_nobody_else_may_ask(anybody: Caller, staff: Caller) -> None:
    for who in (anybody, staff):
        assert who.post(CHECK, {"email": EMAIL, "password": PASSWORD}).status_code == 403


# -- accounts in the Django admin


def test_the_admin_shows_no_password_and_changes_roles(admin_client: Any, account: Account, ended: list[str]) -> None:
    path = "/admin/registered_customer/account/123/change/"
    page = admin_client.get(path).content.decode()
    assert account.password not in page
    assert 'name="password"' not in page
    assert admin_client.post(path, {"role": "staff", "active": "on", "password": "x"}).status_code == 302
    changed = Account.objects.get()
    assert (changed.role, changed.active, changed.password, changed.email) == ("staff", True, account.password, EMAIL)
    assert ended == ["123"]


def test_the_admin_makes_no_accounts_and_deletes_their_sessions_with_them(
    admin_client: Any, account: Account, ended: list[str]
) -> None:
    make_account("124", "bob@example.com")
    assert admin_client.get("/admin/registered_customer/account/add/").status_code == 403
    admin_client.post("/admin/registered_customer/account/123/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": "124", "post": "yes"}
    admin_client.post("/admin/registered_customer/account/", chosen)
    assert not Account.objects.exists()
    assert ended == ["123", "124"]


def test_a_session_of_the_admin_is_looked_at_for_the_admin_alone(
    admin_client: Any, django_assert_num_queries: Any
) -> None:
    page = admin_client.get("/admin/").wsgi_request
    assert (page.user.is_staff, page.session.is_empty()) == (True, False)
    with django_assert_num_queries(0):
        elsewhere = admin_client.get("/health/live").wsgi_request
    assert not any(hasattr(elsewhere, name) for name in ("user", "session", "_messages"))


def test_the_admin_takes_no_form_without_its_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/admin/login/", {"username": BOSS, "password": "x"}).status_code == 403
