"""Shipments: making, reading, tracking, moving and deleting them."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from shipping_service.models import TRANSITIONS, Shipment, Status, check_digit, new_tracking_number
from shipping_service.tests.conftest import ADDRESS, parcel
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NOWHERE = "/api/shipments/00000000-0000-4000-8000-000000000000/"
PATH_TO = {
    "label_created": [],
    "picked_up": ["picked_up"],
    "in_transit": ["picked_up", "in_transit"],
    "out_for_delivery": ["picked_up", "in_transit", "out_for_delivery"],
    "delivered": ["picked_up", "in_transit", "out_for_delivery", "delivered"],
    "failed": ["picked_up", "failed"],
    "returned": ["picked_up", "failed", "returned"],
}
Brings = Callable[[str], str]


@pytest.fixture
def brought_to(shipment: str, staff: Caller) -> Brings:
    """Moves the shipment to a status step by step, and gives its path."""

    def bring(status: str) -> str:
        for step in PATH_TO[status]:
            assert staff.patch(shipment, {"status": step}).status_code == 200
        return shipment

    return bring


def test_staff_make_a_shipment_with_a_label(staff: Caller) -> None:
    asked = parcel()
    response = staff.post("/api/shipments/", {**asked, "status": "delivered", "tracking_number": "PS1"})
    body = response.json()
    assert (response.status_code, response["ETag"]) == (201, '"1"')
    assert body["address"] == {**ADDRESS, "line2": "", "region": "", "phone": ""}
    assert body | {name: asked[name] for name in ("order_id", "customer_id", "method", "weight_g")} == body
    assert (body["status"], body["version"]) == ("label_created", 1)
    assert re.fullmatch(r"PS\d{13}", body["tracking_number"])


def test_an_order_has_one_shipment_at_most(staff: Caller, shipment: str) -> None:
    first = staff.get(shipment).data
    response = staff.post("/api/shipments/", parcel(order_id=first["order_id"]))
    assert (response.status_code, response.json()["code"]) == (409, "already_shipped")
    assert response.json()["details"] == {"shipment_id": [first["id"]]}


def test_a_tracking_number_that_is_taken_is_replaced(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Shipment.objects.get(pk=staff.post("/api/shipments/", parcel()).data["id"]).tracking_number
    monkeypatch.setattr(Shipment._meta.get_field("tracking_number"), "_get_default", lambda: taken)
    response = staff.post("/api/shipments/", parcel())
    assert response.status_code == 201
    assert response.data["tracking_number"] != taken


def test_a_tracking_number_ends_in_a_luhn_digit() -> None:
    assert check_digit("7992739871") == 3
    for number in (new_tracking_number() for _ in range(20)):
        assert check_digit(number[2:-1]) == int(number[-1])


def test_a_customer_makes_and_moves_none(ada: Caller, shipment: str) -> None:
    answers = [
        ada.post("/api/shipments/", parcel()),
        ada.patch(shipment, {"status": "delivered"}),
        ada.delete(shipment),
    ]
    assert [each.status_code for each in answers] == [403] * 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": "x"}, "order_id"),
        ({"method": "drone"}, "method"),
        ({"weight_g": 0}, "weight_g"),
        ({"weight_g": -1}, "weight_g"),
        ({"weight_g": 1e9}, "weight_g"),
        ({"weight_g": 1.5}, "weight_g"),
        ({"address": {**ADDRESS, "country": "Narnia"}}, "address.country"),
        ({"address": None}, "address"),
        ({"customer_id": "x" * 65}, "customer_id"),
    ],
)
def test_an_invalid_shipment_is_refused_by_field(staff: Caller, changes: dict[str, Any], field: str) -> None:
    response = staff.post("/api/shipments/", parcel(**changes))
    assert response.status_code == 400
    assert list(response.json()["details"]) == [field]


def test_a_malformed_body_is_400_and_another_type_415(staff: Caller, shipment: str) -> None:
    for ask, path in ((staff.post, "/api/shipments/"), (staff.patch, shipment)):
        assert ask(path, "{", content_type="application/json").status_code == 400
        assert ask(path, "[]", content_type="application/json").status_code == 400
        assert ask(path, "a=b", content_type="text/plain").status_code == 415


def test_a_shipment_is_its_customers_and_staffs(shipment: str, ada: Caller, bob: Caller, staff: Caller) -> None:
    assert [each.get(shipment).status_code for each in (ada, bob, staff)] == [200, 404, 200]


def test_lists_are_of_ones_own_shipments_and_to_staff_of_all(ada: Caller, bob: Caller, staff: Caller) -> None:
    first = staff.post("/api/shipments/", parcel()).data
    staff.post("/api/shipments/", parcel(customer_id="bob"))
    assert [each.get("/api/shipments/").data["count"] for each in (ada, bob, staff)] == [1, 1, 2]
    assert staff.get(f"/api/shipments/?order_id={first['order_id']}").data["results"][0]["id"] == first["id"]
    assert ada.get("/api/shipments/?status=delivered").data["count"] == 0


@pytest.mark.parametrize(
    "query", ["order_id=x", "status=lost", "page=-1", "page_size=1000000000", "ordering=address", "created_after=x"]
)
def test_a_query_that_makes_no_sense_is_refused(ada: Caller, query: str) -> None:
    assert ada.get(f"/api/shipments/?{query}").status_code == 400


def test_anybody_with_the_number_can_track_and_learns_no_more(brought_to: Brings, staff: Caller, bob: Caller) -> None:
    number = staff.get(brought_to("in_transit")).data["tracking_number"]
    body = bob.get(f"/api/shipments/track/{number}/").json()
    assert body.keys() == {"tracking_number", "status", "events"}
    assert [event["status"] for event in body["events"]] == ["label_created", "picked_up", "in_transit"]
    assert all(event.keys() == {"at", "status"} for event in body["events"])


@pytest.mark.parametrize("number", ["PS0000000000000", "x", "x" * 300, "%27%20OR%201=1"])
def test_a_number_of_no_shipment_is_404(bob: Caller, number: str) -> None:
    assert bob.get(f"/api/shipments/track/{number}/").status_code == 404


@pytest.mark.parametrize("path", [NOWHERE, "/api/shipments/1/", "/api/shipments/x/"])
def test_a_shipment_that_is_not_there_is_404(staff: Caller, path: str) -> None:
    answers = [staff.get(path), staff.patch(path, {"status": "failed"}), staff.delete(path)]
    assert [each.status_code for each in answers] == [404] * 3


@pytest.mark.parametrize(("start", "end"), list(product(PATH_TO, PATH_TO)))
def test_a_shipment_moves_along_the_table_only(brought_to: Brings, staff: Caller, start: str, end: str) -> None:
    shipment = brought_to(start)
    response = staff.patch(shipment, {"status": end})
    if end in TRANSITIONS[start]:
        assert (response.status_code, response.data["status"]) == (200, end)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")
        assert staff.get(shipment).data["status"] == start


def test_the_table_names_every_status() -> None:
    assert set(TRANSITIONS) == set(Status) == set(PATH_TO)


def test_only_the_status_can_be_changed(shipment: str, staff: Caller) -> None:
    response = staff.patch(shipment, {"status": "picked_up", "weight_g": 1, "address": {}})
    assert (response.status_code, response.data["weight_g"]) == (200, 450)
    for body in ({}, {"status": "lost"}, {"status": None}):
        assert staff.patch(shipment, body).status_code == 400


def test_a_change_of_a_version_that_is_no_more_is_412(shipment: str, staff: Caller) -> None:
    assert staff.patch(shipment, {"status": "picked_up"}, HTTP_IF_MATCH='"1"').status_code == 200
    assert staff.patch(shipment, {"status": "in_transit"}, HTTP_IF_MATCH='"1"').status_code == 412


@pytest.mark.parametrize("status", sorted(Status))
def test_staff_delete_only_what_nobody_picked_up(brought_to: Brings, staff: Caller, status: str) -> None:
    response = staff.delete(brought_to(status))
    if status == "label_created":
        assert (response.status_code, Shipment.objects.count()) == (204, 0)
    else:
        assert (response.status_code, response.json()["code"]) == (409, "not_deletable")
