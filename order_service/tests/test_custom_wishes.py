"""What is asked for: a wish or a price that is wrong is refused by field, and one key is one custom order."""

import base64
from typing import Any

import pytest

from order_service import custom_orders
from order_service.custom_models import CustomImage, CustomOrder
from order_service.tests.conftest import ADDRESS, ASKED, CUSTOM_PATH, Asks
from order_service.tests.deeds import do
from order_service.tests.world import Shop
from shopkit.outbox.models import Message
from shopkit.testing import caller
from shopkit.tests.test_pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"description": ""}, "description"),
        ({"description": "x" * 5001}, "description"),
        ({"name": ""}, "name"),
        ({"email": "ada"}, "email"),
        ({"email": "a@b.co\nBcc: c@d.co"}, "email"),
        ({"shipping_address": {**ADDRESS, "country": "UK"}}, "shipping_address.country"),
        ({"shipping_method": "drone"}, "shipping_method"),
        ({"images": "x"}, "images"),
        ({"images": [""] * 6}, "images"),
        ({"images": ["%%%"]}, "images.0"),
        ({"images": [7]}, "images.0"),
    ],
)
def test_an_invalid_wish_is_refused_by_field(shop: Shop, changes: dict[str, Any], field: str) -> None:
    answer = caller("ada").post(CUSTOM_PATH, {**ASKED, **changes})
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not CustomOrder.objects.exists()


@pytest.mark.parametrize("price", [None, "0", "-1", "1.234", "x", "1e12"])
def test_a_price_that_is_none_is_refused(shop: Shop, asks: Asks, price: str | None) -> None:
    answer = do(asks()["id"], "quote", price=price)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["price"])


def test_a_lost_race_for_a_version_is_412(shop: Shop, asks: Asks) -> None:
    custom = asks()["id"]
    change = lambda: caller("ada").patch(f"{CUSTOM_PATH}{custom}/", {"shipping_method": "express"}, HTTP_IF_MATCH='"1"')  # noqa: E731
    assert [change().status_code, change().status_code] == [200, 412]


def test_one_key_is_one_custom_order(shop: Shop) -> None:
    body, key = {**ASKED, "images": [base64.b64encode(picture()).decode()]}, {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first, second = (caller("ada").post(CUSTOM_PATH, body, **key) for _ in range(2))
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.json() == second.json()
    assert caller("ada").post(CUSTOM_PATH, {**body, "name": "Eve"}, **key).status_code == 422
    assert (CustomOrder.objects.count(), CustomImage.objects.count()) == (1, 1)
    assert Message.objects.filter(kind=custom_orders.CUSTOM_MAIL).count() == 2
