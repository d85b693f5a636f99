"""What sending something costs: by zone, method and started kilogram."""

from typing import Any

import pytest

from shipping_service.rates import TARIFFS
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
PATH = "/api/shipments/rates/"


def prices(body: Any) -> dict[str, str]:
    return {rate["method"]: rate["price"] for rate in body["rates"]}


def test_anybody_may_ask_and_hears_of_each_method(ada: Caller) -> None:
    answer = ada.post(PATH, {"country": "us", "weight_g": 1000})
    assert answer.status_code == 200
    standard = {"method": "standard", "price": "5.00", "currency": "USD", "days": {"least": 3, "most": 5}}
    express = {"method": "express", "price": "15.00", "currency": "USD", "days": {"least": 1, "most": 2}}
    assert answer.json() == {"zone": "home", "weight_g": 1000, "rates": [standard, express]}


@pytest.mark.parametrize(
    ("weight_g", "price"), [(1, "5.00"), (1000, "5.00"), (1001, "6.00"), (2000, "6.00"), (2001, "7.00")]
)
def test_each_kilogram_that_is_begun_counts(ada: Caller, weight_g: int, price: str) -> None:
    assert prices(ada.post(PATH, {"country": "US", "weight_g": weight_g}).json())["standard"] == price


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ({"country": "US"}, "home"),
        ({"country": "US", "region": "CA", "postal_code": "94105"}, "home"),
        ({"country": "US", "region": "ak"}, "outlying"),
        ({"country": "PR"}, "outlying"),
        ({"country": "CA", "region": "AK"}, "near"),
        ({"country": "GB"}, "europe"),
        ({"country": "JP"}, "world"),
    ],
)
def test_where_it_goes_decides_the_zone(ada: Caller, place: dict[str, str], zone: str) -> None:
    body = ada.post(PATH, {**place, "weight_g": 1500}).json()
    assert body["zone"] == zone
    tariffs = TARIFFS[zone].items()
    assert prices(body) == {method: f"{(each.first + each.more) / 100:.2f}" for method, each in tariffs}


def test_items_weigh_together_500_g_where_they_do_not_say(ada: Caller) -> None:
    items = [
        {"quantity": 2, "weight_g": 1200, "item_id": "laptop_1"},
        {"quantity": 3},
        {"quantity": 1, "weight_g": None},
    ]
    assert ada.post(PATH, {"country": "US", "items": items}).json()["weight_g"] == 2400 + 1500 + 500


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"country": "UK", "weight_g": 1}, "country"),
        ({"weight_g": 1}, "country"),
        ({"country": "US"}, "weight_g"),
        ({"country": "US", "weight_g": 0}, "weight_g"),
        ({"country": "US", "weight_g": 1.5}, "weight_g"),
        ({"country": "US", "weight_g": 1, "items": [{"quantity": 1}]}, "weight_g"),
        ({"country": "US", "items": []}, "items.non_field_errors"),
        ({"country": "US", "items": [{"quantity": 0}]}, "items.0.quantity"),
        ({"country": "US", "items": "two"}, "items.non_field_errors"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(ada: Caller, wrong: dict[str, Any], field: str) -> None:
    answer = ada.post(PATH, wrong)
    assert (answer.status_code, answer.json()["code"], list(answer.json()["details"])) == (400, "invalid", [field])


def test_what_is_heavier_than_a_parcel_says_so(ada: Caller) -> None:
    assert ada.post(PATH, {"country": "US", "weight_g": 1_000_000}).status_code == 200
    answer = ada.post(PATH, {"country": "US", "weight_g": 1_000_001})
    assert (answer.status_code, answer.json()["code"]) == (400, "too_heavy")
