"""The item services and the customer router as they would answer."""

from collections.abc import Callable

import pytest
import responses

from cart_service.tests.shop import Shop
from shopkit import topology
from shopkit.testing import Caller

Sells = Callable[..., str]
FACTS = f"{topology.service('book_service').url}/internal/facts/"


def perks_of(customer_id: str) -> str:
    return f"{topology.service('customer_router').url}/internal/customers/{customer_id}/perks/"


@pytest.fixture
def shop(peers: responses.RequestsMock) -> Shop:
    made = Shop()
    for service in topology.by_item_type().values():
        peers.add_callback("POST", f"{service.url}/internal/facts/", callback=made.answer)
    return made


@pytest.fixture
def sells(shop: Shop) -> Sells:
    """Makes an item known to its service: `Shop.sell`."""
    return shop.sell


@pytest.fixture
def cart(ada: Caller) -> str:
    """The path of an empty cart of Ada's."""
    return f"/api/carts/{ada.post('/api/carts/').data['id']}/"
