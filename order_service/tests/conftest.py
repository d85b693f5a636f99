"""The cart service as it would answer."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import responses

from order_service import clients
from order_service.tests.world import World
from shopkit import topology
from shopkit.testing import Caller, caller

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "40741", "country": "US"}
RATES = f"{topology.service('shipping_service').url}/api/shipments/rates/"
PRICES = [{"method": "standard", "price": "5.00"}, {"method": "express", "price": "15.00"}]
NOW = {"weight_g": None, "problem": None}
LINE = {"item_id": "book_1", "item_type": "book", "name": "Clean Code", "unit_price": "29.99", "quantity": 2}


@pytest.fixture(autouse=True)
def _no_rates_known() -> None:
    clients._rates.clear()


def vip(user_id: str) -> Caller:
    return caller(user_id, "vip")


@pytest.fixture
def ada() -> Caller:
    return vip("ada")


def cart_url(cart_id: str) -> str:
    return f"{topology.service('cart_service').url}/api/carts/{cart_id}/"


Fills = Callable[..., str]


@pytest.fixture
def fills(peers: responses.RequestsMock) -> Fills:
    """Makes the cart service know a cart, Ada's unless told otherwise, and gives its id."""

    def fill(*lines: dict[str, Any], **changes: Any) -> str:
        cart_id = str(uuid.uuid4())
        cart = {"id": cart_id, "owner_id": "ada", "owner_type": "vip", "currency": "USD"}
        items = [NOW | line for line in lines or [LINE]]
        cart |= {"items": items, "discounts": [], "free_shipping": [], "live": True}
        peers.get(cart_url(cart_id), json=cart | changes)
        peers.upsert("POST", RATES, json={"zone": "home", "weight_g": 1, "rates": PRICES})
        return cart_id

    return fill


def wish(cart_id: str, **changes: Any) -> dict[str, Any]:
    """What a customer posts to order a cart."""
    return {"cart_id": cart_id, "shipping_address": ADDRESS, "shipping_method": "standard", **changes}


@pytest.fixture
def world(peers: responses.RequestsMock) -> World:
    """The peers of a checkout."""
    made = World()
    made.play(peers)
    return made


@pytest.fixture
def order(ada: Caller, fills: Fills, world: World) -> str:
    """The path of a pending order of Ada's."""
    return f"/api/orders/{ada.post('/api/orders/', wish(fills())).data['id']}/"
