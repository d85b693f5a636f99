"""Callers of this service, and the items router as it would answer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from django.db import connections
from rest_framework.test import APIClient

from shopkit import topology


class Caller(APIClient):
    default_format = "json"


def caller(user_id: str) -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_X_USER_ID=user_id, HTTP_X_CUSTOMER_TYPE="registered")


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


Sells = Callable[..., str]


@pytest.fixture
def sells(peers: responses.RequestsMock) -> Sells:
    """Makes the items router know an item, and gives its id; again, to change what it knows."""

    def sell(item_id: str = "book_1", **changes: Any) -> str:
        item = {"id": item_id, "type": "book", "name": "Clean Code", "price": "29.99", "stock": 50, **changes}
        peers.upsert("GET", f"{topology.service('items_router').url}/api/items/{item_id}/", json=item)
        return item_id

    return sell


@pytest.fixture
def cart(ada: Caller) -> str:
    """The path of an empty cart of Ada's."""
    return f"/api/carts/{ada.post('/api/carts/').data['id']}/"
