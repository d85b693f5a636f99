"""Staff sign in to the Django admin with their account; what they do there is in the log, without what it says."""

import json
from typing import Any

import pytest
import requests
import responses
import structlog
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shopkit import admin, admin_login, topology
from vip_customer.models import Benefit, Customer

pytestmark = pytest.mark.django_db
CHECK = f"{topology.account_keeper().url}/internal/staff/check/"
LOGIN, HOME = "/admin/login/", "/admin/"
EMAIL, PASSWORD = "grace@example.com", "open sesame"
ADA = "/admin/vip_customer/customer/ada/change/"
INLINES = ("addresses", "purchases", "points_entries", "tier_changes", "redemptions", "viewed_items")


class Lines(list[dict[str, Any]]):
    """Stands for the logger, and keeps what a line would say."""

    def info(self, event: str, **fields: Any) -> None:
        self.append({"event": event, **structlog.contextvars.get_contextvars(), **fields})

    warning = info


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    kept = Lines()
    monkeypatch.setattr(admin, "log", kept)
    monkeypatch.setattr(admin_login, "log", kept)
    return kept


@pytest.fixture
def browser() -> Client:
    return Client(HTTP_HOST="localhost")


@pytest.fixture
def account(peers: responses.RequestsMock) -> None:
    peers.post(CHECK, json={"id": "staff-1", "email": EMAIL})


@pytest.fixture
def grace(browser: Client, account: None, lines: Lines) -> Client:
    """Signed in."""
    sign_in(browser)
    lines.clear()
    return browser


def sign_in(browser: Client, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return browser.post(LOGIN, {"username": email, "password": password})


def refused(body: dict[str, str], status: int) -> dict[str, Any]:
    return {"json": {"error": "No.", "details": {}, "request_id": "", **body}, "status": status}


def test_who_is_on_the_staff_is_let_in_with_their_account(
    browser: Client, account: None, peers: responses.RequestsMock, lines: Lines
) -> None:
    assert sign_in(browser).status_code == 302
    assert browser.get(HOME).status_code == 200
    asked = json.loads(peers.calls[0].request.body or "")
    assert asked == {"email": EMAIL, "password": PASSWORD, "address": "127.0.0.1"}
    assert len(peers.calls) == 1  # nothing is asked again
    user = User.objects.get()
    assert (user.username, user.email, user.is_staff, user.is_superuser) == ("staff-1", EMAIL, True, True)
    assert not user.has_usable_password()
    assert [(line["event"], line.get("staff")) for line in lines] == [("staff_login", "staff-1")]


def test_signing_in_again_makes_no_second_user_and_takes_over_a_new_email(
    browser: Client, peers: responses.RequestsMock
) -> None:
    for email in (EMAIL, "hopper@example.com"):
        peers.upsert("POST", CHECK, json={"id": "staff-1", "email": email})
        sign_in(browser, email)
    assert User.objects.get().email == "hopper@example.com"


def test_a_session_ends_after_an_hour_and_its_cookie_is_for_the_server_alone(browser: Client, account: None) -> None:
    cookie = sign_in(browser).cookies["vip_customer_session"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (3600, True, "Lax")
    assert browser.session.get_expiry_date() > timezone.now()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (refused({"code": "invalid_credentials"}, 401), "not the email and password"),
        (refused({"code": "invalid"}, 400), "not the email and password"),
        (refused({"code": "throttled"}, 429), "too many attempts"),
        (refused({"code": "store_down"}, 503), "be checked at the moment"),
        (refused({"code": "forbidden"}, 403), "be checked at the moment"),
        ({"json": ["odd"]}, "be checked at the moment"),
        ({"body": "<html>"}, "be checked at the moment"),
        ({"body": requests.ConnectionError()}, "be checked at the moment"),
        ({"body": requests.Timeout()}, "be checked at the moment"),
    ],
)
def test_a_refusal_is_a_sentence_on_the_page_and_a_line_without_the_email(
    browser: Client, peers: responses.RequestsMock, lines: Lines, answer: dict[str, Any], sentence: str
) -> None:
    peers.post(CHECK, **answer)
    response = sign_in(browser)
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert browser.get(HOME).status_code == 302
    assert not User.objects.exists()
    assert [(line["event"], line.get("email")) for line in lines] == [("staff_login_refused", "g…@example.com")]
    assert not any(secret in str(lines) for secret in (EMAIL, PASSWORD))


def test_a_password_of_the_services_own_counts_for_nothing(browser: Client, peers: responses.RequestsMock) -> None:
    User.objects.create_superuser(EMAIL, EMAIL, PASSWORD)
    peers.post(CHECK, **refused({"code": "invalid_credentials"}, 401))
    assert sign_in(browser).status_code == 200
    assert browser.get(HOME).status_code == 302


def test_no_user_is_made_or_changed_in_the_admin(grace: Client) -> None:
    assert grace.get("/admin/auth/user/").status_code == 404
    assert grace.get("/admin/auth/group/").status_code == 404


def test_a_long_email_is_taken(browser: Client, account: None) -> None:
    assert sign_in(browser, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.com").status_code == 302


def test_what_is_changed_is_logged_by_name_and_not_by_value(grace: Client, lines: Lines) -> None:
    Customer.objects.create(id="ada", email="ada@example.com", first_name="Ada")
    form = grace.get(ADA).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None and name in form.fields}
    for inline in grace.get(ADA).context["inline_admin_formsets"]:
        formset = inline.formset.management_form
        values |= {f"{formset.prefix}-{name}": value for name, value in formset.initial.items()}
    response = grace.post(ADA, {**values, "first_name": "Augusta"}, headers={"X-Request-ID": "request-1"})
    assert response.status_code == 302, response.context["errors"]
    [line] = lines
    assert (line["event"], line["staff"], line["request_id"]) == ("staff_action", "staff-1", "request-1")
    assert (line["action"], line["model"], line["ids"]) == ("change", "vip_customer.Customer", ["ada"])
    assert line["fields"] == ["First name"]
    assert "Augusta" not in str(line)


def test_what_is_added_is_logged(grace: Client, lines: Lines) -> None:
    add = "/admin/vip_customer/benefit/add/"
    form = grace.get(add).context["adminform"].form
    defaults = {field.name: field.value() for field in form if field.value() is not None}
    response = grace.post(add, {**defaults, "tier": "gold", "kind": Benefit.Kind.DISCOUNT, "name": "Summer"})
    assert response.status_code == 302, response.context["errors"]
    made = Benefit.objects.get(name="Summer")
    told = [(line["action"], line["model"], line["ids"]) for line in lines]
    assert told == [("addition", "vip_customer.Benefit", [str(made.pk)])]


def changed(grace: Client, **fields: str) -> Any:
    form = {f"{rows}-{count}": "0" for rows in INLINES for count in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return grace.post(ADA, {**form, "first_name": "Augusta", "preferences": "{}", **fields})


@pytest.mark.parametrize("where", [{"moving_to": "registered"}, {"moved_to": "registered"}])
def test_who_is_moving_or_has_gone_is_not_changed_here(grace: Client, where: dict[str, str]) -> None:
    """What is written now would not go along."""
    Customer.objects.create(id="ada", email="ada@example.com", **where)
    assert changed(grace).status_code == 403
    assert Customer.objects.get().first_name == ""
    assert grace.get(ADA).status_code == 200


def test_an_email_is_the_accounts_and_not_changed_in_a_profile(grace: Client) -> None:
    Customer.objects.create(id="ada", email="ada@example.com")
    answer = changed(grace, email="boss@example.com")
    assert answer.status_code == 302, answer.context["errors"]
    assert (Customer.objects.get().first_name, Customer.objects.get().email) == ("Augusta", "ada@example.com")


@pytest.mark.django_db(transaction=True)
def test_a_change_in_the_admin_holds_the_customers_row(grace: Client) -> None:
    """Or it would write the points, and where the customer is, as they were when it was read."""
    Customer.objects.create(id="ada", email="ada@example.com")
    with CaptureQueriesContext(connection) as asked:
        assert changed(grace).status_code == 302
    first = next(query["sql"] for query in asked if "vip_customer_customer" in query["sql"])
    assert "FOR UPDATE" in first or not connection.features.has_select_for_update
