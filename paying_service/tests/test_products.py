"""Stripe's products and prices follow the shop's items: once each, whatever is lost, the old price archived."""

import io
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from paying_service.models import StripeProduct
from paying_service.tests import stripes
from paying_service.tests.stripes import Stripe

pytestmark = pytest.mark.django_db
SHOP = "http://shop.example:8000"


def item(**changes: Any) -> dict[str, Any]:
    body = {"id": "book_1", "name": "Dune", "description": "Sand.", "price": "9.99", "currency": "USD", "stock": 3}
    return {**body, **changes}


class World:
    """A shop of one item, and Stripe, which knows no product yet."""

    def __init__(self, api: Stripe) -> None:
        self.api, self.prices = api, 0
        self.sells(item())
        api.says("POST", "/products/book_1", stripes.error("invalid_request_error", "resource_missing"), 404)
        api.says("POST", "/products", {"id": "book_1", "object": "product"})
        api.says("POST", "/prices", {"id": "price_1", "object": "price"})

    def sells(self, *items: dict[str, Any]) -> None:
        for before in [each for each in self.api.mock.registered() if SHOP in str(each.url)]:
            self.api.mock.remove(before)
        self.api.mock.add("GET", f"{SHOP}/api/items/", json={"count": 1, "next": None, "results": list(items)})

    def knows_it(self) -> None:
        self.api.says("POST", "/products/book_1", {"id": "book_1", "object": "product"})

    def asked(self) -> list[tuple[str, dict[str, list[str]]]]:
        """What Stripe was asked for since the last time."""
        found = [(name, {**form, "key": [key]} if key else form) for name, form, key in self.api.asked]
        self.api.mock.calls.reset()
        return [each for each in found if each[0].startswith("POST")]


@pytest.fixture
def world(stripe_api: Stripe) -> World:
    return World(stripe_api)


def sync() -> str:
    out = io.StringIO()
    call_command("sync_products", "--from", SHOP, stdout=out)
    return out.getvalue()


@pytest.fixture
def synced(world: World) -> World:
    world.api.mock.add("POST", f"{stripes.API}/products/book_1", json={"id": "book_1", "object": "product"})
    assert sync() == "1 items are new at Stripe or have changed.\n"
    world.knows_it()
    return world


def test_an_item_becomes_a_product_with_a_price(synced: World) -> None:
    asked = synced.asked()
    assert [name for name, _ in asked] == [
        "POST /products/book_1",
        "POST /products",
        "POST /prices",
        "POST /products/book_1",
    ]
    assert (asked[1][1]["id"], asked[1][1]["name"]) == (["book_1"], ["Dune"])
    assert (asked[2][1]["unit_amount"], asked[2][1]["currency"], asked[2][1]["product"]) == (
        ["999"],
        ["usd"],
        ["book_1"],
    )
    assert asked[3][1]["default_price"] == ["price_1"]
    kept = StripeProduct.objects.get()
    assert (kept.item_id, kept.product_id, kept.price_id) == ("book_1", "book_1", "price_1")


def test_what_stripe_knows_it_is_not_told_again(synced: World) -> None:
    synced.asked()
    assert sync() == "0 items are new at Stripe or have changed.\n"
    assert synced.asked() == []


def test_a_new_name_changes_the_product_alone(synced: World) -> None:
    synced.asked()
    synced.sells(item(name="Dune II"))
    sync()
    [(name, form)] = synced.asked()
    assert (name, form["name"]) == ("POST /products/book_1", ["Dune II"])


def test_a_new_price_takes_the_place_of_the_old_one_which_is_archived(synced: World) -> None:
    synced.asked()
    synced.sells(item(price="12.00"))
    synced.api.says("POST", "/prices", {"id": "price_2", "object": "price"})
    synced.api.says("POST", "/prices/price_1", {"id": "price_1", "object": "price", "active": False})
    sync()
    asked = synced.asked()
    assert [name for name, _ in asked] == ["POST /prices", "POST /products/book_1", "POST /prices/price_1"]
    assert (asked[0][1]["unit_amount"], asked[2][1]["active"]) == (["1200"], ["false"])
    assert (StripeProduct.objects.get().price_id, StripeProduct.objects.get().stale_price_id) == ("price_2", "")


@pytest.mark.parametrize("broken", ["/prices", "/products/book_1", "/prices/price_1"])
def test_a_run_that_broke_off_is_finished_by_the_next(synced: World, broken: str) -> None:
    good = {"/prices": {"id": "price_2"}, "/products/book_1": {"id": "book_1"}, "/prices/price_1": {"id": "price_1"}}
    synced.sells(item(price="12.00"))
    for path, body in good.items():
        synced.api.says("POST", path, requests.ReadTimeout("slow") if path == broken else body)
    synced.asked()
    with pytest.raises(CommandError, match="run this again"):
        sync()
    synced.api.says("POST", broken, good[broken])
    sync()
    asked = synced.asked()
    assert len({form["key"][0] for name, form in asked if name == "POST /prices"}) == 1
    assert asked[-1][0] == "POST /prices/price_1"
    assert (StripeProduct.objects.get().price_id, StripeProduct.objects.get().stale_price_id) == ("price_2", "")


def test_what_is_not_for_sale_is_no_product(world: World) -> None:
    world.sells(item(price=None))
    assert sync().startswith("0 ")
    assert world.asked() == []


def test_without_a_shop_or_keys_it_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"No shop answers at http://nowhere\."):
        call_command("sync_products", "--from", "http://nowhere")
    from paying_service.keys import keys

    monkeypatch.setattr(keys(), "stripe_secret_key", "")
    with pytest.raises(CommandError, match="SHOP_STRIPE_SECRET_KEY"):
        sync()
