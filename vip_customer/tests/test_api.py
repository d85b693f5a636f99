"""VIPs over HTTP: tiers, points and benefits."""

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from vip_customer.models import Benefit, Customer
from vip_customer.tiers import Tier, tier_of

pytestmark = pytest.mark.django_db
ME = {"X-User-ID": "456", "X-Customer-Type": "vip"}


@pytest.fixture
def vip() -> Customer:
    return Customer.objects.create(id="456", email="vip@example.com", tier=Tier.GOLD, points=5200)


@pytest.mark.parametrize(
    ("points", "tier"),
    [(0, "bronze"), (999, "bronze"), (1000, "silver"), (5000, "gold"), (10_000, "platinum"), (-5, "bronze")],
)
def test_a_tier_begins_at_its_points(points: int, tier: str) -> None:
    assert tier_of(points) == tier


def test_vips_are_listed_by_tier(client: Client, vip: Customer) -> None:
    Customer.objects.create(id="1", email="b@example.com")
    assert [each["id"] for each in client.get("/api/customers/?tier=gold").json()["results"]] == ["456"]
    assert client.get("/api/customers/?tier=tin").status_code == 400


def test_points_and_tier_are_not_the_customers_to_set(client: Client, vip: Customer) -> None:
    change = {"points": 99_999, "tier": "platinum", "first_name": "Vi"}
    answer = client.patch("/api/customers/me/", change, "application/json", headers=ME).json()
    assert (answer["points"], answer["tier"], answer["first_name"]) == (5200, "gold", "Vi")


def test_the_ledger_counts_each_source_once(client: Client, vip: Customer) -> None:
    vip.points_entries.create(source="order:1", points=200, created_at=timezone.now())
    assert client.get("/api/customers/me/points/", headers=ME).json()["results"][0]["points"] == 200
    with pytest.raises(IntegrityError):
        vip.points_entries.create(source="order:1", points=200, created_at=timezone.now())


def test_benefits_are_those_of_the_tier(client: Client, vip: Customer) -> None:
    Benefit.objects.create(tier=Tier.GOLD, kind="discount", name="10 % off", value=10)
    Benefit.objects.create(tier=Tier.BRONZE, kind="discount", name="2 % off", value=2)
    results = client.get("/api/customers/me/benefits/", headers=ME).json()["results"]
    assert [each["name"] for each in results] == ["10 % off"]


def test_staff_keep_the_benefits(client: Client) -> None:
    body = {"tier": "gold", "kind": "discount", "name": "10 % off", "value": 10}
    made = client.post("/api/vip-customer/benefits/", body, "application/json")
    assert made.status_code == 201
    assert client.post("/api/vip-customer/benefits/", body, "application/json").status_code == 400
    path = f"/api/vip-customer/benefits/{made.json()['id']}/"
    assert client.patch(path, {"value": 101}, "application/json").status_code == 400
    assert client.patch(path, {"value": 12}, "application/json", headers=ME).status_code == 403
    assert client.delete(path).status_code == 204


def test_tiers_are_told_to_anyone(client: Client) -> None:
    tiers = {each["tier"]: each["points"] for each in client.get("/api/customers/tiers/", headers=ME).json()}
    assert tiers == {"bronze": 0, "silver": 1000, "gold": 5000, "platinum": 10_000}


def test_a_vips_addresses_are_their_own(client: Client, vip: Customer) -> None:
    address = {"name": "V", "line1": "1", "city": "Rome", "postal_code": "1", "country": "IT"}
    assert client.post("/api/vip-customer/456/addresses/", address, "application/json", headers=ME).status_code == 201
    assert client.get("/api/vip-customer/me/addresses/", headers=ME).json()["count"] == 1
