"""A guest's token, after its guest has made an account: what the guest left, and nothing that the account has."""

import pytest

from shopkit.testing import bearer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("secure")]
CARTS = "/api/carts/"


def test_it_opens_no_cart_of_the_account() -> None:
    visitor, ada = bearer("ada", "guest"), bearer("ada", "registered")
    first, later = visitor.post(CARTS).data["id"], ada.post(CARTS).data["id"]
    assert [row["id"] for row in visitor.get(CARTS).data["results"]] == [first]
    assert visitor.get(f"{CARTS}{later}/").status_code == 404
    assert visitor.delete(f"{CARTS}{later}/").status_code == 404
    assert visitor.get(f"{CARTS}{first}/").status_code == 200
    assert {row["id"] for row in ada.get(CARTS).data["results"]} == {first, later}


def test_a_guests_cart_is_the_accounts_alone_once_its_customer_comes_with_that() -> None:
    visitor, ada = bearer("ada", "guest"), bearer("ada", "registered")
    cart = visitor.post(CARTS).data["id"]
    assert ada.get(f"{CARTS}{cart}/").data["owner_type"] == "registered"
    assert visitor.get(f"{CARTS}{cart}/").status_code == 404
    assert visitor.get(CARTS).data["results"] == []


def test_a_guests_cart_stays_one_while_nobody_but_its_guest_and_staff_look() -> None:
    visitor, boss = bearer("ada", "guest"), bearer("grace", "registered", role="staff")
    cart = visitor.post(CARTS).data["id"]
    for who in (boss, visitor):
        assert who.get(f"{CARTS}{cart}/").data["owner_type"] == "guest"
    assert bearer("bob", "registered").get(f"{CARTS}{cart}/").status_code == 404
    assert visitor.get(f"{CARTS}{cart}/").status_code == 200
