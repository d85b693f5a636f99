"""A guest's token, after its guest has made an account: what was sent to the guest, and nothing that came after."""

import uuid

import pytest

from shipping_service.tests.conftest import parcel
from shopkit.auth import Identity
from shopkit.testing import Caller, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("secure")]
SHIPMENTS = "/api/shipments/"


def shipped(kind: str) -> str:
    """One that the order service asked for, of an order that Ada made as one of that type."""
    orders = Caller(HTTP_HOST="localhost")
    orders.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    asked = parcel(shipment_id=str(uuid.uuid4()), customer_type=kind)
    return str(orders.post("/internal/shipments/", asked).data["id"])


def test_it_finds_the_guests_shipments_and_none_of_the_account() -> None:
    visitor, ada = bearer("ada", "guest"), bearer("ada", "registered")
    first, later = shipped("guest"), shipped("registered")
    assert [row["id"] for row in visitor.get(SHIPMENTS).data["results"]] == [first]
    assert visitor.get(f"{SHIPMENTS}{first}/").status_code == 200
    assert visitor.get(f"{SHIPMENTS}{later}/").status_code == 404
    assert {row["id"] for row in ada.get(SHIPMENTS).data["results"]} == {first, later}


def test_a_shipment_that_staff_made_is_its_customers_whatever_they_were() -> None:
    made = bearer("grace", role="staff").post(SHIPMENTS, parcel()).data["id"]
    for kind in ("guest", "registered"):
        assert bearer("ada", kind).get(f"{SHIPMENTS}{made}/").status_code == 200
