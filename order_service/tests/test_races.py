"""What happens when several want the same at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from order_service.models import Order, OrderEvent, OrderLine
from order_service.tests.conftest import Caller, Fills, caller, wish

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def at_once(action: Callable[[int], Any]) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return action(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(2 * AT_ONCE)))


def test_a_cart_posted_many_times_at_once_becomes_one_order(fills: Fills) -> None:
    cart_id = fills()
    answers = at_once(lambda _: caller("ada").post("/api/orders/", wish(cart_id)).json())
    made = [each["id"] for each in answers if "id" in each]
    assert len(made) == 1
    assert [each["details"] for each in answers if "id" not in each] == [{"order_id": made}] * (2 * AT_ONCE - 1)
    assert (Order.objects.count(), OrderLine.objects.count(), OrderEvent.objects.count()) == (1, 1, 1)


def test_of_many_who_move_an_order_one_does(order: str, ada: Caller) -> None:
    def move(number: int) -> int:
        if number % 2:
            return caller("ada").post(f"{order}cancel/").status_code
        return Caller(HTTP_HOST="localhost").patch(order, {"status": "expired"}).status_code

    assert sorted(at_once(move)) == [200] + [409] * (2 * AT_ONCE - 1)
    assert OrderEvent.objects.count() == 2
    assert ada.get(order).data["version"] == 2


def test_an_order_is_never_both_deleted_and_moved(order: str) -> None:
    def reserve_or_delete(number: int) -> int:
        staff = Caller(HTTP_HOST="localhost")
        return (staff.patch(order, {"status": "reserved"}) if number % 2 else staff.delete(order)).status_code

    codes = at_once(reserve_or_delete)
    assert sorted(code for code in codes if code < 300) in ([200], [204])
    assert set(codes) <= {200, 204, 404, 409}
