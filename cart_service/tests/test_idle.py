"""Carts that nobody came back to are forgotten, and no others."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cart_service import services, tasks
from cart_service.models import Cart, CartLine
from cart_service.tests.conftest import Sells
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def aged(cart_id: str, **ago: int) -> None:
    Cart.objects.filter(pk=cart_id).update(updated_at=timezone.now() - timedelta(**ago))


def test_a_cart_that_was_idle_for_a_week_is_forgotten(ada: Caller, sells: Sells) -> None:
    old, young = (str(ada.post("/api/carts/").data["id"]) for _ in range(2))
    for each in (old, young):
        ada.post(f"/api/carts/{each}/items/", {"item_id": sells(), "quantity": 1})
    aged(old, days=7, seconds=1)
    aged(young, days=6, hours=23)
    assert services.forget_idle() == 1
    assert [str(pk) for pk in Cart.objects.values_list("pk", flat=True)] == [young]
    assert CartLine.objects.count() == 1
    assert ada.get(f"/api/carts/{old}/").status_code == 404
    assert services.forget_idle() == 0


def test_a_change_keeps_a_cart(cart: str, ada: Caller, sells: Sells) -> None:
    aged(cart.split("/")[-2], days=8)
    ada.post(f"{cart}items/", {"item_id": sells(), "quantity": 1})
    assert services.forget_idle() == 0


def test_there_may_be_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "AT_A_TIME", 3)
    Cart.objects.bulk_create(Cart(owner_type="guest") for _ in range(8))
    Cart.objects.update(updated_at=timezone.now() - timedelta(days=30))
    assert (services.forget_idle(), Cart.objects.count()) == (8, 0)


def test_a_cart_that_was_put_into_one_that_is_forgotten_does_not_come_back_with_its_lines() -> None:
    target = Cart.objects.create(owner_type="guest")
    source = Cart.objects.create(owner_type="guest", merged_into=target)
    aged(str(target.pk), days=8)
    services.forget_idle()
    source.refresh_from_db()
    assert (source.merged_into_id, source.lines.count()) == (None, 0)


def test_the_sweep_does_it() -> None:
    assert [sweep.run for sweep in tasks.SWEEPS] == [services.forget_idle]
