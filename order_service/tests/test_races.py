"""What happens when several want the same at once."""

import pytest

from order_service import services
from order_service.models import Order, OrderEvent, OrderLine, Saga
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


def test_of_many_who_cancel_an_order_it_is_cancelled_once(order: str, ada: Caller) -> None:
    codes = at_once(lambda _turn: vip("ada").post(f"{order}cancel/").status_code, TIMES)
    assert set(codes) <= {200, 409}
    assert ada.get(order).data["status"] == "cancelled"
    assert OrderEvent.objects.filter(to_status="cancelled").exclude(from_status="cancelled").count() == 1


def test_an_order_is_never_both_deleted_and_moved(order: str) -> None:
    Saga.objects.update(step=Saga.Step.DONE)
    services.move(order=Order.objects.get(), to="cancelled", name="cancelled")

    def change_or_delete(number: int) -> int:
        if number % 2:
            return staff_caller().delete(order).status_code
        return staff_caller().patch(order, {"status": "delivered"}).status_code

    codes = at_once(change_or_delete, TIMES)
    assert codes.count(204) == 1
    assert set(codes) <= {204, 404, 409}
