"""What happens to a cart that several change at once."""

import pytest

from cart_service.tests.conftest import Sells
from shopkit.testing import Caller, at_once, caller

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 24


def test_one_item_added_many_times_at_once_adds_up_exactly(cart: str, ada: Caller, sells: Sells) -> None:
    asked = {"item_id": sells(), "quantity": 1}
    codes = at_once(lambda _: caller("ada").post(f"{cart}items/", asked).status_code, TIMES)
    body = ada.get(cart).json()
    assert codes == [201] * TIMES
    assert [line["quantity"] for line in body["items"]] == [TIMES]
    assert body["version"] == 1 + TIMES


def test_together_they_never_get_more_in_than_there_is(cart: str, ada: Caller, sells: Sells) -> None:
    asked = {"item_id": sells(stock=10), "quantity": 1}
    codes = at_once(lambda _: caller("ada").post(f"{cart}items/", asked).status_code, TIMES)
    assert sorted(codes) == [201] * 10 + [409] * (TIMES - 10)
    assert ada.get(cart).data["items"][0]["quantity"] == 10


def test_of_those_who_change_one_version_one_wins(cart: str, ada: Caller, sells: Sells) -> None:
    sells()

    def add(number: int) -> int:
        asked = {"item_id": "book_1", "quantity": number + 1}
        return caller("ada").post(f"{cart}items/", asked, HTTP_IF_MATCH='"1"').status_code

    codes = at_once(add, TIMES)
    assert sorted(codes) == [201] + [412] * (TIMES - 1)


def test_a_cart_deleted_meanwhile_is_not_there(cart: str, ada: Caller, sells: Sells) -> None:
    asked = {"item_id": sells(), "quantity": 1}

    def add_or_delete(number: int) -> int:
        who = caller("ada")
        return (who.delete(cart) if number == TIMES // 2 else who.post(f"{cart}items/", asked)).status_code

    assert set(at_once(add_or_delete, TIMES)) <= {201, 204, 404}
    assert ada.get(cart).status_code == 404
