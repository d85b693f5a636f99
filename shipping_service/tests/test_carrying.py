"""An order's one parcel, as the order service asks for it, and the simulated carrier that takes it to its end."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from shipping_service import services
from shipping_service.models import Shipment, ShipmentEvent
from shipping_service.tests.conftest import parcel
from shopkit import topology
from shopkit.auth import Identity
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
WAY = ["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered"]
PATH = "/internal/shipments/"


def order_service() -> Caller:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    return client


def wanted(**changes: Any) -> dict[str, Any]:
    return {**parcel(), "shipment_id": str(uuid.uuid4()), "customer_type": "registered", **changes}


@pytest.fixture
def sent() -> str:
    """The path of a shipment that the carrier has taken on."""
    return f"/api/shipments/{order_service().post(PATH, wanted()).data['id']}/"


def due() -> None:
    """As if every parcel's time to move had come."""
    Shipment.objects.filter(look_at__isnull=False).update(look_at=timezone.now() - timedelta(seconds=1))


def carry() -> int:
    due()
    return services.carry()


def way() -> list[str]:
    return [event.status for event in ShipmentEvent.objects.all()]


def news() -> int:
    return Message.objects.filter(kind="shipment_changed").count()


def worth_telling() -> int:
    """How much of a parcel's way the order hears of."""
    return sum(status in ("picked_up", "delivered", "failed", "returned") for status in way())


def test_an_order_has_one_shipment_however_often_it_is_asked_for() -> None:
    asked = wanted()
    first, again = (order_service().post(PATH, asked) for _ in range(2))
    assert (first.status_code, first.data["id"]) == (200, asked["shipment_id"])
    other = order_service().post(PATH, {**asked, "shipment_id": str(uuid.uuid4())})
    assert first.json() == again.json() == other.json()
    assert (Shipment.objects.count(), way(), news()) == (1, ["label_created"], 0)


def test_whether_an_order_has_a_shipment_is_told_to_services_alone(ada: Caller) -> None:
    asked = wanted()
    path = f"{PATH}{asked['order_id']}/"
    assert order_service().get(path).status_code == 404
    made = order_service().post(PATH, asked).json()
    assert order_service().get(path).json() == made
    assert ada.get(path).status_code == 403


def test_an_order_has_one_shipment_however_many_ask_at_once() -> None:
    asked = wanted()

    def ask(turn: int) -> tuple[int, str]:
        own = asked if turn % 2 else {**asked, "shipment_id": str(uuid.uuid4())}
        answer = order_service().post(PATH, own)
        return answer.status_code, answer.json()["tracking_number"]

    assert set(at_once(ask, 16)) == {(200, Shipment.objects.get().tracking_number)}
    assert way() == ["label_created"]


def test_what_staff_sent_already_is_the_orders_shipment(staff: Caller) -> None:
    by_hand = staff.post("/api/shipments/", parcel()).data
    asked = wanted(order_id=by_hand["order_id"])
    assert order_service().post(PATH, asked).data["id"] == by_hand["id"]
    assert staff.post("/api/shipments/", parcel(order_id=by_hand["order_id"])).json()["code"] == "already_shipped"


def test_only_services_ask(staff: Caller, ada: Caller) -> None:
    assert [someone.post(PATH, wanted()).status_code for someone in (staff, ada)] == [403, 403]


def test_a_parcel_moves_one_step_at_a_time_until_it_arrives(sent: str, ada: Caller) -> None:
    assert services.carry() == 0  # not yet
    for steps in range(1, len(WAY)):
        assert carry() == 1
        assert way() == WAY[: steps + 1]
        assert (ada.get(sent).data["status"], news()) == (WAY[steps], worth_telling())
        assert services.carry() == 0  # the next step takes its time
    assert carry() == 0
    assert way() == WAY
    number = ada.get(sent).data["tracking_number"]
    tracked = Caller(HTTP_HOST="localhost").get(f"/api/shipments/track/{number}/").json()
    assert [event["status"] for event in tracked["events"]] == WAY


def test_every_parcel_that_is_due_moves() -> None:
    for _ in range(3):
        order_service().post(PATH, wanted())
    assert carry() == 3


def test_what_staff_sent_moves_by_hand_only(shipment: str, staff: Caller) -> None:
    assert carry() == 0
    assert staff.get(shipment).data["status"] == "label_created"


@pytest.mark.parametrize("steps", range(4))
def test_of_several_sweeps_at_once_one_moves_a_parcel(sent: str, steps: int) -> None:
    for _ in range(steps):
        carry()
    due()
    assert sum(at_once(lambda _turn: services.carry(), 16)) == 1
    assert way() == WAY[: steps + 2]
    assert news() == worth_telling()


@pytest.mark.parametrize("to", ["picked_up", "failed"])
def test_staff_who_move_a_parcel_meanwhile_do_not_break_its_way(sent: str, to: str) -> None:
    due()

    def move(turn: int) -> int:
        return staff_caller().patch(sent, {"status": to}).status_code if turn % 2 else services.carry()

    answers = at_once(move, 16)
    assert {answer for answer in answers if answer > 1} <= {200, 409}
    while carry():
        pass
    arrived = way()
    assert arrived[-1] == ("failed" if "failed" in arrived else "delivered")
    assert [status for status in arrived if status != "failed"] == WAY[: len(arrived) - arrived.count("failed")]
    assert news() == worth_telling()
    assert carry() == 0


def test_a_parcel_that_staff_gave_up_is_carried_no_further(sent: str, staff: Caller) -> None:
    assert staff.patch(sent, {"status": "failed"}).status_code == 200
    assert [carry(), carry()] == [0, 0]
    assert way() == ["label_created", "failed"]
    assert staff.patch(sent, {"status": "returned"}).status_code == 200
    assert news() == 2


def dies_once(patch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Shipment] = services.move
    left = [1]

    def dying(**given: Any) -> Shipment:
        if left:
            left.pop()
            raise KeyboardInterrupt
        return real(**given)

    patch.setattr(services, "move", dying)


@pytest.mark.parametrize("steps", range(4))
def test_a_parcel_whose_carrier_died_on_the_way_arrives_all_the_same(
    sent: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(steps):
        carry()
    dies_once(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        carry()
    while carry():
        pass
    assert way() == WAY
    assert news() == worth_telling() == 2


def test_what_a_paid_order_was_promised_is_not_deleted(sent: str, staff: Caller) -> None:
    assert staff.delete(sent).json()["code"] == "not_deletable"
    assert Shipment.objects.count() == 1


def test_the_order_is_told_where_its_parcel_is(sent: str, peers: responses.RequestsMock) -> None:
    peers.post(f"{topology.service('order_service').url}/internal/shipment-events/", status=204)
    order = str(Shipment.objects.get().order_id)
    for _ in WAY[1:]:
        carry()
        delivery.deliver_due()
    told = [json.loads(call.request.body or "") for call in peers.calls]
    assert told == [{"order_id": order, "status": status} for status in ("picked_up", "delivered")]


def test_an_order_that_cannot_be_told_is_told_later(sent: str, peers: responses.RequestsMock) -> None:
    url = f"{topology.service('order_service').url}/internal/shipment-events/"
    peers.post(url, status=503)
    carry()
    assert delivery.deliver_due() == 0
    peers.replace(responses.POST, url, status=204)
    Message.objects.update(lease_until=timezone.now())
    assert delivery.deliver_due() == 1


def test_the_auditor_is_told_of_every_shipment_and_when_it_moved(sent: str) -> None:
    moved = Shipment.objects.get()
    [row] = order_service().get(PATH).json()["rows"]
    assert (row["id"], row["order_id"], row["status"]) == (str(moved.pk), str(moved.order_id), "label_created")
    assert datetime.fromisoformat(row["updated_at"]) == moved.updated_at
    assert order_service().get(PATH, {"after": row["id"]}).json()["rows"] == []
