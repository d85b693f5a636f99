"""What the carrier sends: kept once if it is signed, and a parcel moves on by it, never back."""

import itertools
import json
import time
import uuid
from typing import Any

import pytest

from shipping_service import webhooks
from shipping_service.models import TRANSITIONS, CarrierEvent, Shipment, ShipmentEvent
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.signature import sign
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/shipments/webhooks/simulated/"
SECRETS = ["the-one-of-today", "the-one-of-yesterday"]


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.CARRIER_SECRETS = SECRETS


def event(shipment: str, status: str = "in_transit", **changes: Any) -> dict[str, Any]:
    number = Shipment.objects.get(pk=shipment.split("/")[-2]).tracking_number
    return {"id": f"evt_{uuid.uuid4().hex}", "tracking_number": number, "status": status, **changes}


def post(body: bytes, signature: str | None) -> Any:
    headers = {} if signature is None else {"Simulated-Signature": signature}
    nobody = Caller(HTTP_HOST="localhost")
    return nobody.post(PATH, data=body, content_type="application/json", headers=headers)


def send(body: dict[str, Any] | bytes, *, secret: str = SECRETS[0], ago: int = 0) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return post(raw, sign(raw, secret=secret, at=int(time.time()) - ago))


def work() -> None:
    """Looks into what was kept, as the courier does."""
    for message in Message.objects.filter(kind=webhooks.CARRIER_EVENT, done_at=None):
        delivery.attempt(message)


def status(shipment: str) -> str:
    return Shipment.objects.get(pk=shipment.split("/")[-2]).status


def way() -> list[str]:
    return [each.status for each in ShipmentEvent.objects.all()]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_signed_event_moves_the_parcel_over_what_was_not_told_and_the_order_hears(shipment: str, secret: str) -> None:
    answer = send(event(shipment, "out_for_delivery"), secret=secret)
    assert (answer.status_code, answer.json()) == (200, {"new": True})
    work()
    assert way() == ["label_created", "picked_up", "in_transit", "out_for_delivery"]
    assert Message.objects.filter(kind="shipment_changed").count() == 1  # picked up; the rest changes nothing for it


def test_an_event_counts_once_however_often_it_comes(shipment: str) -> None:
    told = event(shipment)
    answers = at_once(lambda _turn: send(told), 8)
    assert sorted(answer.json()["new"] for answer in answers) == [False] * 7 + [True]
    work()
    assert (CarrierEvent.objects.count(), len(way())) == (1, 3)


def test_events_in_any_order_end_the_same(shipment: str, staff: Caller) -> None:
    for order in itertools.permutations(["picked_up", "in_transit", "delivered"]):
        Shipment.objects.update(status="label_created")
        for each in order:
            send(event(shipment, each))
            work()
        assert status(shipment) == "delivered"


@pytest.mark.parametrize("end", ["failed", "returned"])
def test_a_parcel_that_fails_or_comes_back_goes_nowhere_after(shipment: str, end: str) -> None:
    for each in ("in_transit", end, "out_for_delivery", "delivered"):
        send(event(shipment, each))
        work()
    assert status(shipment) == end
    path = way()
    assert all(there in TRANSITIONS[here] for here, there in itertools.pairwise(path))


def test_a_parcel_that_there_is_not_is_no_news(shipment: str) -> None:
    assert send(event(shipment, tracking_number="PS0000000000000")).status_code == 200
    work()
    assert status(shipment) == "label_created"
    assert not Message.objects.filter(done_at=None).exists()


@pytest.mark.parametrize("ago", [360, -360, 10**6])
def test_what_is_stale_or_of_the_future_is_refused(shipment: str, ago: int) -> None:
    answer = send(event(shipment), ago=ago)
    assert (answer.status_code, answer.json()["code"]) == (401, "stale_webhook")
    assert not CarrierEvent.objects.exists()


@pytest.mark.parametrize("signature", [None, "", "t=1", "t=1,v1=" + "0" * 64, "t=" + "9" * 13 + ",v1=" + "0" * 64, "ä"])
def test_what_the_carrier_did_not_sign_is_refused(shipment: str, signature: str | None) -> None:
    answer = post(json.dumps(event(shipment)).encode(), signature)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert send(event(shipment), secret="another").json()["code"] == "bad_signature"
    assert not CarrierEvent.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"id": ""}, {"id": None}, {"status": "lost"}, {"status": 1}, {"tracking_number": "a b"}, {"id": "x" * 101}],
)
def test_what_is_none_of_its_events_is_refused(shipment: str, change: dict[str, Any]) -> None:
    for body in (event(shipment, **change) if "status" not in change else {**event(shipment), **change}, b"[]", b"{"):
        answer = send(body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_webhook")
    assert not CarrierEvent.objects.exists()
