"""What a VIP's carts and orders get by themselves."""

from typing import Any

import pytest
from django.utils import timezone

from shopkit.testing import Caller, service_token
from vip_customer.models import Benefit, Customer

pytestmark = pytest.mark.django_db
PATH = "/internal/customers/456/perks/"


def ask(by: str = "customer_router") -> Any:
    token = service_token("vip_customer", by=by)
    return Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}").get(PATH)


def benefit(kind: str, tier: str = "bronze", **more: Any) -> Benefit:
    return Benefit.objects.create(kind=kind, tier=tier, name=kind, **more)


def test_the_tiers_discount_and_free_shipping_apply_where_they_cost_nothing(vip: Customer) -> None:
    benefit("discount", value=2)
    benefit("discount", "gold", value=10)
    benefit("free_shipping")
    assert ask().json() == {"tier": "bronze", "percent": 2, "free_shipping": ["standard"]}


@pytest.mark.parametrize("tier", ["gold", "platinum"])
def test_from_gold_on_express_is_free_too(vip: Customer, tier: str) -> None:
    benefit("free_shipping", tier)
    Customer.objects.update(tier=tier)
    assert ask().json()["free_shipping"] == ["standard", "express"]


def test_what_costs_points_applies_while_it_is_redeemed(vip: Customer, me: Caller) -> None:
    free = benefit("free_shipping", cost=50)
    Customer.objects.update(points=100)
    assert ask().json()["free_shipping"] == []
    assert me.post(f"/api/customers/me/benefits/{free.pk}/redeem/").status_code == 201
    assert ask().json()["free_shipping"] == ["standard"]
    vip.redemptions.update(expires_at=timezone.now())
    assert ask().json()["free_shipping"] == []


def test_what_is_no_longer_given_does_not_apply(vip: Customer) -> None:
    benefit("discount", value=2, active=False)
    assert ask().json() == {"tier": "bronze", "percent": 0, "free_shipping": []}


def test_who_is_no_vip_or_has_moved_on_gets_nothing(vip: Customer) -> None:
    Customer.objects.update(moved_to="registered")
    assert ask().status_code == 307
    Customer.objects.all().delete()
    assert ask().status_code == 404


def test_the_router_alone_asks(vip: Customer, me: Caller) -> None:
    assert (ask(by="cart_service").status_code, me.get(PATH).status_code) == (401, 403)  # a token for others
