"""The peers as they would answer, and what of Ada's each test starts from: a cart, an order, a custom order."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import responses

from order_service import clients
from order_service.models import Order
from order_service.tests.world import Shop, World
from shopkit import topology
from shopkit.testing import Caller, caller

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "40741", "country": "US"}
RATES = f"{topology.service('shipping_service').url}/api/shipments/rates/"
PRICES = [{"method": "standard", "price": "5.00"}, {"method": "express", "price": "15.00"}]
NOW = {"weight_g": None, "problem": None}
LINE = {"item_id": "book_1", "item_type": "book", "name": "Clean Code", "unit_price": "29.99", "quantity": 2}
LAPTOP = {"item_id": "laptop_1", "item_type": "laptop", "name": "Light", "unit_price": "29.99", "quantity": 1}
CARD = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
CUSTOM_PATH = "/api/custom-orders/"
ASKED = {"description": "A case with\nbeads", "name": "Ada", "email": "ada@example.com"}


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


Place = Callable[..., Order]


@pytest.fixture
def place(world: World, ada: Caller, fills: Fills) -> Place:
    """Makes an order of Ada's, of these lines or the usual one, that is paid by card unless told otherwise."""

    def placed(*lines: dict[str, Any], **more: Any) -> Order:
        answer = ada.post("/api/orders/", wish(fills(*lines), **{"payment": CARD, **more}))
        assert answer.status_code == 201, answer.content
        return Order.objects.get(pk=answer.data["id"])

    return placed


@pytest.fixture
def shop(peers: responses.RequestsMock, tmp_path: Path, settings: Any) -> Shop:
    """The peers of a custom order, whose payment waits for its customer."""
    settings.MEDIA_ROOT = tmp_path
    settings.ALERT_EMAIL = "staff@example.com"
    made = Shop(card="requires_action")
    made.play(peers)
    peers.upsert("POST", RATES, json={"zone": "home", "weight_g": 1, "rates": PRICES})
    for peer in ("customer_router", "cart_service"):
        peers.post(re.compile(re.escape(topology.service(peer).url) + "/internal/.*"), json={"taken": True})
    return made


Asks = Callable[..., dict[str, Any]]


@pytest.fixture
def asks(shop: Shop) -> Asks:
    """Asks for a custom order, as Ada unless told otherwise, and gives what is answered."""

    def ask(by: Caller | None = None, **more: Any) -> dict[str, Any]:
        answer = (by or caller("ada")).post(CUSTOM_PATH, {**ASKED, "shipping_address": ADDRESS, **more})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return ask
