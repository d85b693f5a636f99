"""What happens when several want the same at once."""

import pytest

from order_service.models import Order, OrderEvent, OrderLine
from order_service.tests.conftest import Fills, vip, wish
from shopkit.testing import Caller, at_once, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 16


def test_a_cart_posted_many_times_at_once_becomes_one_order(fills: Fills) -> None:
    cart_id = fills()
    answers = at_once(lambda _: vip("ada").post("/api/orders/", wish(cart_id)).json(), TIMES)
    made = [each["id"] for each in answers if "id" in each]
    assert len(made) == 1
    assert [each["details"] for each in answers if "id" not in each] == [{"order_id": made}] * (TIMES - 1)
    assert (Order.objects.count(), OrderLine.objects.count(), OrderEvent.objects.count()) == (1, 1, 1)


def test_of_many_who_move_an_order_one_does(order: str, ada: Caller) -> None:
    def move(number: int) -> int:
        if number % 2:
            return vip("ada").post(f"{order}cancel/").status_code
        return staff_caller().patch(order, {"status": "expired"}).status_code

    assert sorted(at_once(move, TIMES)) == [200] + [409] * (TIMES - 1)
    assert OrderEvent.objects.count() == 2
    assert ada.get(order).data["version"] == 2


def test_an_order_is_never_both_deleted_and_moved(order: str) -> None:
    def reserve_or_delete(number: int) -> int:
        staff = staff_caller()
        return (staff.patch(order, {"status": "reserved"}) if number % 2 else staff.delete(order)).status_code

    codes = at_once(reserve_or_delete, TIMES)
    assert sorted(code for code in codes if code < 300) in ([200], [204])
    assert set(codes) <= {200, 204, 404, 409}
