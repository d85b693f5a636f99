"""A guest's token, after its guest has made an account: what the guest ordered, and nothing that came after."""

from typing import Any

import pytest

from order_service.models import Order
from order_service.tests.conftest import CUSTOM_PATH, Asks, Fills, wish
from order_service.tests.world import Shop, World
from shopkit.testing import bearer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("secure")]
VISITOR, ADA = (("ada", "guest"), ("ada", "registered"))


def of(kind: str) -> dict[str, str]:
    return {"owner_id": "ada", "owner_type": kind}


def test_it_finds_what_the_guest_ordered_and_no_order_of_the_account(world: World, fills: Fills) -> None:
    visitor, ada = bearer(*VISITOR), bearer(*ADA)
    first = visitor.post("/api/orders/", wish(fills(**of("guest")))).data["id"]
    cart = fills(**of("registered"))
    later = ada.post("/api/orders/", wish(cart)).data["id"]
    assert [row["id"] for row in visitor.get("/api/orders/").data["results"]] == [first]
    assert visitor.get(f"/api/orders/{first}/").status_code == 200
    assert {row["id"] for row in ada.get("/api/orders/").data["results"]} == {first, later}
    for deed in (visitor.get, visitor.patch):
        assert deed(f"/api/orders/{later}/").status_code == 404
    assert visitor.get(f"/api/orders/{later}/timeline/").status_code == 404
    assert visitor.post(f"/api/orders/{later}/cancel/").status_code == 404
    assert visitor.post("/api/orders/", wish(cart)).json()["details"] == {}
    assert Order.objects.get(pk=later).status == "pending"
    assert visitor.post(f"/api/orders/{first}/cancel/").data["status"] == "cancelled"


def test_so_it_is_with_custom_orders(shop: Shop, asks: Asks) -> None:
    visitor, ada = bearer(*VISITOR), bearer(*ADA)
    first, later = asks(visitor)["id"], asks(ada)["id"]
    seen: Any = visitor.get(CUSTOM_PATH).json()
    assert [row["id"] for row in seen["results"]] == [first]
    assert visitor.get(f"{CUSTOM_PATH}{later}/").status_code == 404
    assert ada.get(f"{CUSTOM_PATH}{first}/").status_code == ada.get(f"{CUSTOM_PATH}{later}/").status_code == 200
