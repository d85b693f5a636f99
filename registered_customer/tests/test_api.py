"""Registered customers over HTTP: accounts by email, and addresses with one default of each kind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from registered_customer.models import Customer
from shopkit.customers import services
from shopkit.testing import at_once, bearer

pytestmark = pytest.mark.django_db
ME = {"X-User-ID": "123", "X-Customer-Type": "registered"}
ADDRESS = {"name": "Ada L", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "gb"}


@pytest.fixture
def customer() -> Customer:
    return Customer.objects.create(id="123", email="ada@example.com", first_name="Ada")


@pytest.fixture
def add(client: Client, customer: Customer) -> Callable[..., Any]:
    def added(**more: Any) -> Any:
        return client.post("/api/customers/me/addresses/", {**ADDRESS, **more}, "application/json", headers=ME)

    return added


def test_an_email_is_one_account_in_any_case(client: Client, customer: Customer) -> None:
    answer = client.post("/api/customers/", {"email": "ADA@Example.com"}, "application/json")
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["email"])


def test_an_account_is_made_by_staff_and_not_verified(client: Client) -> None:
    answer = client.post("/api/customers/", {"email": "New@Example.com", "email_verified": True}, "application/json")
    assert answer.status_code == 201
    assert (answer.json()["email"], answer.json()["email_verified"]) == ("new@example.com", False)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("headers", [ME, {}], ids=["customer", "staff"])
def test_an_email_is_not_changed_with_the_profile(
    client: Client, customer: Customer, method: str, headers: dict[str, str]
) -> None:
    Customer.objects.create(id="124", email="taken@example.com")
    for email in ("new@example.com", "taken@example.com", "no email"):
        change = {"email": email, "first_name": "Ada"}
        answer = getattr(client, method)("/api/registered-customer/123/", change, "application/json", headers=headers)
        assert (answer.status_code, answer.json()["email"]) == (200, "ada@example.com")


def test_search_finds_by_email(client: Client, customer: Customer) -> None:
    assert client.get("/api/customers/?search=ada@").json()["count"] == 1


def test_an_address_has_its_country_in_capitals(add: Callable[..., Any]) -> None:
    answer = add()
    assert (answer.status_code, answer.json()["country"]) == (201, "GB")


def test_a_country_that_is_none_is_refused(add: Callable[..., Any]) -> None:
    assert list(add(country="XX").json()["details"]) == ["country"]


def test_a_new_default_takes_the_place_of_the_old(client: Client, add: Callable[..., Any]) -> None:
    first = add(default_shipping=True, default_billing=True).json()["id"]
    second = add(default_shipping=True).json()["id"]
    found = {each["id"]: each for each in client.get("/api/customers/me/addresses/", headers=ME).json()["results"]}
    assert (found[first]["default_shipping"], found[first]["default_billing"]) == (False, True)
    assert (found[second]["default_shipping"], found[second]["default_billing"]) == (True, False)


def test_an_address_is_changed_and_removed(client: Client, add: Callable[..., Any]) -> None:
    path = f"/api/registered-customer/123/addresses/{add().json()['id']}/"
    assert client.patch(path, {"city": "Leeds"}, "application/json", headers=ME).json()["city"] == "Leeds"
    assert client.put(path, {**ADDRESS, "city": "York"}, "application/json", headers=ME).json()["city"] == "York"
    assert client.delete(path, headers=ME).status_code == 204
    assert client.get(path, headers=ME).status_code == 404


def test_anothers_addresses_are_not_there(client: Client, add: Callable[..., Any]) -> None:
    address = add().json()["id"]
    other = {"X-User-ID": "9", "X-Customer-Type": "registered"}
    for path in ("", f"{address}/"):
        assert client.get(f"/api/customers/123/addresses/{path}", headers=other).status_code == 404


def test_deleting_frees_the_email_and_forgets_addresses(
    client: Client, add: Callable[..., Any], customer: Customer
) -> None:
    add()
    assert client.delete("/api/customers/me/", headers=ME).status_code == 204
    customer.refresh_from_db()
    assert (customer.email, customer.addresses.count()) == (None, 0)
    assert client.post("/api/customers/", {"email": "ada@example.com"}, "application/json").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_parallel_new_defaults_one_remains(client: Client) -> None:
    customer = Customer.objects.create(id="123", email="ada@example.com")

    def add(_number: int) -> int:
        body = {**ADDRESS, "default_shipping": True}
        return client.post("/api/customers/me/addresses/", body, "application/json", headers=ME).status_code

    assert at_once(add, 8) == [201] * 8
    assert customer.addresses.filter(default_shipping=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_at_the_same_time_does_not_undo_a_deletion(client: Client) -> None:
    for number in range(5):
        customer = Customer.objects.create(id=f"c{number}", email=f"c{number}@example.com", first_name="Ada")
        path = f"/api/customers/c{number}/"

        def one(turn: int, path: str = path) -> Any:
            method, body = ("delete", None) if turn == 3 else ("patch", {"first_name": "Back"})
            return getattr(client, method)(path, body, "application/json")

        at_once(one, 8)
        customer.refresh_from_db()
        assert (customer.first_name, customer.email) == ("", None)
        assert customer.anonymised_at


def test_an_address_written_while_its_customer_leaves_is_not_said_to_be_kept(
    client: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = services.keep_address

    def late(**given: Any) -> Any:
        Customer.objects.update(moved_to="vip")
        return keep(**given)

    monkeypatch.setattr(services, "keep_address", late)
    answer = client.post("/api/customers/me/addresses/", ADDRESS, "application/json", headers=ME)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (409, "moving", "1")
    assert not customer.addresses.exists()


@pytest.mark.usefixtures("secure")
def test_a_guests_token_opens_no_account_by_id_nor_in_the_list(customer: Customer) -> None:
    visitor, ada = bearer("123", "guest"), bearer("123", "registered")
    answer = visitor.get("/api/registered-customer/me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
    listed = [who.get("/api/registered-customer/").json()["results"] for who in (visitor, ada)]
    assert [len(rows) for rows in listed] == [0, 1]
