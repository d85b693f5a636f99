"""A guest signs in to an account: their parcels are the account's."""

import pytest

from shipping_service.models import Shipment
from shipping_service.tests.conftest import parcel
from shopkit.testing import Caller, caller, service_token

pytestmark = pytest.mark.django_db
SIGN_IN = {"guest_id": "g1", "customer_id": "ada", "customer_type": "registered"}


def sign_in(by: str = "customer_router") -> int:
    told = Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {service_token('shipping_service', by=by)}")
    return int(told.post("/internal/sign-ins/", SIGN_IN).status_code)


def test_who_tells_of_sign_ins_gives_parcels_away_and_no_other_service(staff: Caller) -> None:
    staff.post("/api/shipments/", parcel(customer_id="g1"))
    assert sign_in("order_service") == 403
    assert Shipment.objects.get().customer_id == "g1"
    assert sign_in() == 204
    parcel_now = Shipment.objects.get()
    assert (parcel_now.customer_id, parcel_now.customer_type) == ("ada", "registered")


def test_a_guests_parcels_are_shown_to_the_account_and_to_the_guest_no_more(staff: Caller, ada: Caller) -> None:
    shipment = staff.post("/api/shipments/", parcel(customer_id="g1")).data["id"]
    staff.post("/api/shipments/", parcel(customer_id="g2"))
    before = staff.get(f"/api/shipments/{shipment}/")["ETag"]
    for _ in range(2):
        assert sign_in() == 204
    assert [each["id"] for each in ada.get("/api/shipments/").json()["results"]] == [shipment]
    assert caller("g1", "guest").get(f"/api/shipments/{shipment}/").status_code == 404
    assert staff.get(f"/api/shipments/{shipment}/")["ETag"] != before
