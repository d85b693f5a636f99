"""What happens when several send or move the same at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from shipping_service.models import Shipment, ShipmentEvent
from shipping_service.tests.conftest import Caller, parcel, staff_caller

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


def test_an_order_sent_many_times_at_once_has_one_shipment() -> None:
    asked = parcel()
    codes = at_once(lambda _: staff_caller().post("/api/shipments/", asked).status_code)
    assert sorted(codes) == [201] + [409] * (2 * AT_ONCE - 1)
    assert (Shipment.objects.count(), ShipmentEvent.objects.count()) == (1, 1)


def test_of_many_who_move_a_shipment_one_does(shipment: str, staff: Caller) -> None:
    codes = at_once(lambda _: staff_caller().patch(shipment, {"status": "picked_up"}).status_code)
    assert sorted(codes) == [200] + [409] * (2 * AT_ONCE - 1)
    assert staff.get(shipment).data["version"] == 2
    assert ShipmentEvent.objects.count() == 2
