"""The items router as it would answer."""

from collections.abc import Callable
from typing import Any

import pytest
import responses

from shopkit import topology
from shopkit.testing import Caller

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
