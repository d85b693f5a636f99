"""The item services and the customer router as they would answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import responses

from shopkit import topology
from shopkit.testing import Caller

Sells = Callable[..., str]
FACTS = f"{topology.service('book_service').url}/internal/facts/"


def perks_of(customer_id: str) -> str:
    return f"{topology.service('customer_router').url}/internal/customers/{customer_id}/perks/"


@dataclass
class Shop:
    """What the item services know, by id: an item's facts, and None for one whose service can't say anything."""

    items: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    calls: int = 0

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.calls += 1
        asked = json.loads(request.body)["ids"]
        known = {item_id: self.items[item_id] for item_id in asked if item_id in self.items}
        if None in known.values():
            return 503, {}, json.dumps({"error": "No.", "code": "unavailable", "details": {}})
        return 200, {}, json.dumps({"items": known})


@pytest.fixture
def shop(peers: responses.RequestsMock) -> Shop:
    made = Shop()
    for service in topology.by_item_type().values():
        peers.add_callback("POST", f"{service.url}/internal/facts/", callback=made.answer)
    return made


@pytest.fixture
def sells(shop: Shop) -> Sells:
    """Makes an item known to its service, and gives its id; again, to change it."""

    def sell(item_id: str = "book_1", **changes: Any) -> str:
        item = {
            "type": "book",
            "name": "Clean Code",
            "price": "29.99",
            "currency": "USD",
            "stock": 50,
            "weight_g": None,
        }
        item |= changes
        price = item["price"]
        shop.items[item_id] = {**item, "price": None if price is None else int(Decimal(str(price)) * 100)}
        return item_id

    return sell


@pytest.fixture
def cart(ada: Caller) -> str:
    """The path of an empty cart of Ada's."""
    return f"/api/carts/{ada.post('/api/carts/').data['id']}/"
