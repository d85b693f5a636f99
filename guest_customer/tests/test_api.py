"""Guests over HTTP: listing, reading, changing, and being led to where one has moved."""

import pytest
from django.test import Client
from django.utils import timezone

from guest_customer.models import Customer

pytestmark = pytest.mark.django_db
GUEST = {"X-User-ID": "g1", "X-Customer-Type": "guest"}


@pytest.fixture
def guest() -> Customer:
    return Customer.objects.create(id="g1", first_name="Ada")


def test_a_guest_sees_only_themselves(client: Client, guest: Customer) -> None:
    Customer.objects.create(id="g2")
    assert [each["id"] for each in client.get("/api/customers/", headers=GUEST).json()["results"]] == ["g1"]
    assert client.get("/api/customers/g2/", headers=GUEST).status_code == 404


def test_a_developer_in_open_access_sees_all_in_order(client: Client, guest: Customer) -> None:
    Customer.objects.create(id="g2", last_name="Abel")
    answer = client.get("/api/guest-customer/?ordering=-last_name").json()
    assert [each["id"] for each in answer["results"]] == ["g2", "g1"]
    assert answer["results"][0]["customer_type"] == "guest"


def test_search_looks_in_names(client: Client, guest: Customer) -> None:
    Customer.objects.create(id="g2", first_name="Bob")
    assert client.get("/api/customers/?search=ada").json()["count"] == 1


def test_me_is_the_caller(client: Client, guest: Customer) -> None:
    assert client.get("/api/customers/me/", headers=GUEST).json()["first_name"] == "Ada"
    assert client.get("/api/customers/me/").status_code == 404


def test_a_guest_changes_their_profile_but_not_their_id(client: Client, guest: Customer) -> None:
    change = {"first_name": "Grace", "id": "other", "moved_to": "vip"}
    answer = client.patch("/api/customers/me/", change, "application/json", headers=GUEST)
    assert (answer.status_code, answer.json()["id"], answer.json()["first_name"]) == (200, "g1", "Grace")
    guest.refresh_from_db()
    assert guest.moved_to == ""


def test_only_staff_make_guests(client: Client) -> None:
    assert client.post("/api/customers/", {"first_name": "Ida"}, "application/json").status_code == 201
    assert client.post("/api/customers/", {}, "application/json", headers=GUEST).status_code == 403


@pytest.mark.parametrize("method", ["get", "patch", "put", "delete"])
def test_a_guest_who_moved_is_found_at_their_new_place(client: Client, guest: Customer, method: str) -> None:
    Customer.objects.filter(pk="g1").update(moved_to="registered")
    answer = getattr(client, method)("/api/customers/g1/", headers=GUEST)
    assert (answer.status_code, answer["Location"]) == (307, "/api/registered-customer/g1/")
    assert answer.json()["code"] == "moved"


def test_a_move_keeps_what_was_asked_for(client: Client, guest: Customer) -> None:
    Customer.objects.filter(pk="g1").update(moved_to="vip")
    assert client.get("/api/guest-customer/g1/history/")["Location"] == "/api/vip-customer/g1/history/"
    assert client.get("/api/guest-customer/me/", headers=GUEST)["Location"] == "/api/vip-customer/g1/"


def test_who_moved_is_not_in_the_list(client: Client, guest: Customer) -> None:
    Customer.objects.filter(pk="g1").update(moved_to="registered")
    assert client.get("/api/customers/").json()["count"] == 0


def test_a_strangers_move_is_not_told(client: Client, guest: Customer) -> None:
    Customer.objects.filter(pk="g1").update(moved_to="registered")
    stranger = {"X-User-ID": "g9", "X-Customer-Type": "guest"}
    assert client.get("/api/customers/g1/", headers=stranger).status_code == 404


def test_history_shows_the_latest_view_first(client: Client, guest: Customer) -> None:
    guest.viewed_items.create(item_id="book_1", viewed_at=timezone.now())
    guest.viewed_items.create(item_id="book_2", viewed_at=timezone.now())
    viewed = client.get("/api/customers/me/history/", headers=GUEST).json()["viewed_items"]
    assert [each["item_id"] for each in viewed] == ["book_2", "book_1"]


def test_deleting_forgets_the_person_and_keeps_the_record(client: Client, guest: Customer) -> None:
    guest.viewed_items.create(item_id="book_1", viewed_at=timezone.now())
    assert client.delete("/api/customers/me/", headers=GUEST).status_code == 204
    guest.refresh_from_db()
    assert (guest.first_name, guest.viewed_items.count(), guest.anonymised_at is None) == ("", 0, False)
    assert client.get("/api/customers/g1/").status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [("page=-1", 400), ("page=x", 400), ("page=2", 404), ("page_size=1000000000", 400), ("ordering=id", 400)],
)
def test_a_bad_page_or_order_is_refused(client: Client, guest: Customer, query: str, code: int) -> None:
    answer = client.get(f"/api/customers/?{query}")
    assert (answer.status_code, set(answer.json())) == (code, {"error", "code", "details", "request_id"})


def test_too_many_preferences_are_refused(client: Client, guest: Customer) -> None:
    preferences = {str(number): "x" for number in range(51)}
    answer = client.patch("/api/customers/me/", {"preferences": preferences}, "application/json", headers=GUEST)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["preferences"])
