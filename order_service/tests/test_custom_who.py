"""Who may see a custom order and who may decide on it: its customer, staff, and whoever has its link."""

import base64
import uuid

import pytest

from order_service import custom_orders
from order_service.custom_models import CustomEvent
from order_service.tests.conftest import CUSTOM_PATH, Asks
from order_service.tests.deeds import do, nobody, pay, shown
from order_service.tests.world import Shop
from shopkit.testing import Caller, access_token, caller, staff_caller
from shopkit.tests.test_pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_its_customer_staff_and_the_link_open_it(shop: Shop, asks: Asks) -> None:
    asked = asks(images=[base64.b64encode(picture()).decode()])
    path = f"{CUSTOM_PATH}{asked['id']}/"
    image = asked["images"][0].removeprefix("http://localhost").partition("?")[0]
    for there in (path, f"{path}timeline/", image):
        assert caller("ada").get(there).status_code == 200
        assert staff_caller().get(there).status_code == 200
        assert caller("bob").get(there).status_code == 404
        assert nobody().get(there).status_code == 404
        assert nobody().get(f"{there}?secret={asked['secret']}").status_code == 200
        assert nobody().get(f"{there}?secret={asked['secret'][:-1]}x").status_code == 404
        assert nobody().get(f"{there}?secret=").status_code == 404
    assert nobody().patch(path, {"shipping_method": "express"}).status_code == 404
    assert caller("bob").patch(path, {"shipping_method": "express"}).status_code == 404
    assert nobody().patch(f"{path}?secret={asked['secret']}", {"shipping_method": "express"}).status_code == 200


def test_the_secret_of_one_does_not_open_another(shop: Shop, asks: Asks) -> None:
    one, other = asks(), asks()
    assert nobody().get(f"{CUSTOM_PATH}{one['id']}/?secret={other['secret']}").status_code == 404


def test_who_has_no_identity_asks_and_finds_it_by_the_secret_alone(shop: Shop, asks: Asks) -> None:
    asked = asks(nobody())
    assert asked["customer_id"] is None
    seen = nobody().get(f"{CUSTOM_PATH}{asked['id']}/?secret={asked['secret']}").json()
    assert (seen["id"], "secret" in seen) == (asked["id"], False)
    assert nobody().get(CUSTOM_PATH).status_code == 401


def test_who_has_no_identity_comes_to_an_order_too(shop: Shop, asks: Asks) -> None:
    custom = asks(nobody())["id"]
    do(custom, "quote")
    do(custom, "approve")
    assert pay(shop, custom).status == "fulfilling"


@pytest.mark.parametrize("deed", ["quote", "approve", "reject"])
def test_only_staff_decide(shop: Shop, asks: Asks, deed: str) -> None:
    asked = asks()
    assert do(asked["id"], deed, caller("ada")).status_code == 403
    assert do(asked["id"], deed, nobody()).status_code == 401
    assert nobody().post(f"{CUSTOM_PATH}{asked['id']}/{deed}/?secret={asked['secret']}").status_code == 401
    assert do(str(uuid.uuid4()), deed).status_code == 404
    assert shown(asked["id"])["status"] == "pending"


def test_customers_list_their_own_and_staff_all(shop: Shop, asks: Asks) -> None:
    asks(), asks(caller("bob")), asks(nobody())
    count = lambda who, query="": who.get(f"{CUSTOM_PATH}{query}").json()["count"]  # noqa: E731
    assert (count(caller("ada")), count(staff_caller()), count(staff_caller(), "?customer_id=bob")) == (1, 3, 1)
    assert count(staff_caller(), "?status=quoted") == 0


def test_who_asks_sets_neither_status_nor_price(shop: Shop, asks: Asks) -> None:
    asked = asks(status="approved", price="0.01", customer_id="bob", valid_until="2030-01-01T00:00:00Z", note="x")
    found = (asked["status"], asked["price"], asked["customer_id"], asked["valid_until"], asked["note"])
    assert found == ("pending", None, "ada", None, "")


def test_what_a_guest_asked_for_is_the_customers_after_they_sign_in(shop: Shop, asks: Asks) -> None:
    custom = asks(caller("guest-1", "guest"))["id"]
    for _ in range(2):
        custom_orders.take_over(guest_id="guest-1", customer_id="ada", customer_type="registered")
    assert caller("ada").get(f"{CUSTOM_PATH}{custom}/").json()["customer_type"] == "registered"


def test_staff_are_named_in_the_log(shop: Shop, asks: Asks) -> None:
    custom = asks()["id"]
    token = access_token("grace", role="staff")
    do(custom, "quote", Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}"), price="1.00")
    assert CustomEvent.objects.get(custom_id=custom, name="quoted").by == "grace"
