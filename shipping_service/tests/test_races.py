"""What happens when several send or move the same at once."""

import pytest

from shipping_service.models import Shipment, ShipmentEvent
from shipping_service.tests.conftest import parcel
from shopkit.testing import Caller, at_once, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 16


def test_an_order_sent_many_times_at_once_has_one_shipment() -> None:
    asked = parcel()
    codes = at_once(lambda _: staff_caller().post("/api/shipments/", asked).status_code, TIMES)
    assert sorted(codes) == [201] + [409] * (TIMES - 1)
    assert (Shipment.objects.count(), ShipmentEvent.objects.count()) == (1, 1)


def test_of_many_who_move_a_shipment_one_does(shipment: str, staff: Caller) -> None:
    codes = at_once(lambda _: staff_caller().patch(shipment, {"status": "picked_up"}).status_code, TIMES)
    assert sorted(codes) == [200] + [409] * (TIMES - 1)
    assert staff.get(shipment).data["version"] == 2
    assert ShipmentEvent.objects.count() == 2
