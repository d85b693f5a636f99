"""Callers of this service, and the cart service as it would answer."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from django.db import connections
from rest_framework.test import APIClient

from shopkit import topology

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "W1", "country": "GB"}
LINE = {"item_id": "book_1", "item_type": "book", "name": "Clean Code", "unit_price": "29.99", "quantity": 2}


class Caller(APIClient):
    default_format = "json"


def caller(user_id: str) -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_X_USER_ID=user_id, HTTP_X_CUSTOMER_TYPE="vip")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, since in memory the threads of a race would share one connection."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        folder: Path = tmp_path_factory.mktemp("database")
        database["TEST"]["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture
def ada() -> Caller:
    return caller("ada")


@pytest.fixture
def bob() -> Caller:
    return caller("bob")


@pytest.fixture
def staff() -> Caller:
    return Caller(HTTP_HOST="localhost")


@pytest.fixture
def peers() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def cart_url(cart_id: str) -> str:
    return f"{topology.service('cart_service').url}/api/carts/{cart_id}/"


Fills = Callable[..., str]


@pytest.fixture
def fills(peers: responses.RequestsMock) -> Fills:
    """Makes the cart service know a cart, Ada's unless told otherwise, and gives its id."""

    def fill(*lines: dict[str, Any], **changes: Any) -> str:
        cart_id = str(uuid.uuid4())
        cart = {"id": cart_id, "owner_id": "ada", "owner_type": "vip", "currency": "USD", "items": lines or [LINE]}
        peers.get(cart_url(cart_id), json=cart | changes)
        return cart_id

    return fill


def wish(cart_id: str, **changes: Any) -> dict[str, Any]:
    """What a customer posts to order a cart."""
    return {"cart_id": cart_id, "shipping_address": ADDRESS, "shipping_method": "standard", **changes}


@pytest.fixture
def order(ada: Caller, fills: Fills) -> str:
    """The path of a pending order of Ada's."""
    return f"/api/orders/{ada.post('/api/orders/', wish(fills())).data['id']}/"
