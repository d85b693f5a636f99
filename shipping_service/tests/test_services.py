"""What the use-cases hold against a lost race."""

import uuid

import pytest

from shipping_service import services
from shipping_service.models import Status
from shopkit.auth import Identity
from shopkit.errors import Conflict

pytestmark = pytest.mark.django_db
STAFF = Identity(is_staff=True)


def test_of_two_who_read_the_same_shipment_one_changes_it(shipment: str) -> None:
    number = uuid.UUID(shipment.split("/")[-2])
    first, second = (services.get_shipment(shipment_id=number, identity=STAFF) for _ in range(2))
    services.move(shipment=first, to=Status.PICKED_UP)
    with pytest.raises(Conflict, match="just changed"):
        services.move(shipment=second, to=Status.FAILED)
    kept = services.get_shipment(shipment_id=number, identity=STAFF)
    assert (kept.status, kept.version) == (Status.PICKED_UP, 2)
