"""What can be done to shipments. Each change is a conditional update of the shipment as it was read, and its event."""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from shipping_service.models import DELETABLE, TRANSITIONS, Shipment, ShipmentEvent, Status, new_tracking_number
from shopkit import rows, versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, found
from shopkit.outbox import services as outbox
from shopkit.permissions import visible

CHANGED = "shipment_changed"
TOLD = frozenset({Status.PICKED_UP, Status.DELIVERED, Status.FAILED, Status.RETURNED})
"""What others hear of: that a parcel is somewhere else on its way is for who tracks it."""
MOVES_EVERY = timedelta(seconds=3)
TRIES = 5
AT_A_TIME = 100
NEXT: dict[str, str] = {
    Status.LABEL_CREATED: Status.PICKED_UP,
    Status.PICKED_UP: Status.IN_TRANSIT,
    Status.IN_TRANSIT: Status.OUT_FOR_DELIVERY,
    Status.OUT_FOR_DELIVERY: Status.DELIVERED,
}
"""How the simulated carrier moves a parcel."""


def create_shipment(
    *, order_id: uuid.UUID, customer_id: str | None, method: str, address: dict[str, str], weight_g: int
) -> Shipment:
    """The order's shipment, with its label; `Conflict("already_shipped")` when it has one."""
    shipment = Shipment(order_id=order_id, customer_id=customer_id, method=method, address=address, weight_g=weight_g)
    try:
        _keep(shipment)
    except IntegrityError:
        _check_not_shipped(order_id)
        shipment.tracking_number = new_tracking_number()  # the other unique column: this number was taken
        _keep(shipment)
    return shipment


def ship(*, shipment_id: uuid.UUID, order_id: uuid.UUID, **fields: Any) -> Shipment:
    """The order's shipment: this one, or the one that it has."""
    with suppress(IntegrityError):
        _keep(Shipment(id=shipment_id, order_id=order_id, look_at=timezone.now() + MOVES_EVERY, **fields))
    return shipment_of(order_id=order_id)


def shipment_of(*, order_id: uuid.UUID) -> Shipment:
    """The order's one shipment; `NotFound` while it has none."""
    return found(rows.find(Shipment, {"order_id": order_id}))


def page_of_shipments(*, after: str) -> list[dict[str, object]]:
    """The next 500 shipments by id: `{id, order_id, status, updated_at}`."""
    later = Shipment.objects.filter(pk__gt=after) if after else Shipment.objects.all()
    page = later.order_by("pk").values("id", "order_id", "status", "updated_at")[:500]
    return [{**row, "id": str(row["id"]), "order_id": str(row["order_id"])} for row in page]


def visible_shipments(*, identity: Identity) -> QuerySet[Shipment]:
    """A customer's own; to staff, all."""
    return visible(Shipment.objects.all(), identity)


def get_shipment(*, shipment_id: uuid.UUID, identity: Identity) -> Shipment:
    """`NotFound` when there is none or it is another's."""
    return found(visible_shipments(identity=identity).filter(pk=shipment_id).first())


def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What was sent to the guest is the customer's. May be repeated."""
    owner = {"customer_id": customer_id, "customer_type": customer_type}
    Shipment.objects.filter(customer_id=guest_id).update(version=F("version") + 1, **owner)


def track(*, tracking_number: str) -> Shipment:
    """The shipment with its events, for whoever knows its number."""
    return found(Shipment.objects.prefetch_related("events").filter(tracking_number=tracking_number).first())


@transaction.atomic
def move(*, shipment: Shipment, to: str, version: int | None = None) -> Shipment:
    """Moves a shipment along the table, and logs it.

    `PreconditionFailed` when it is not at `version`; `Conflict`: `illegal_transition`, or `conflict` when it changed
    since it was read.
    """
    versioned.check_version(shipment, version)
    versioned.check_transition(shipment, to, TRANSITIONS)
    versioned.change(shipment, status=to)
    rows.insert(ShipmentEvent(shipment=shipment, status=to))
    if to in TOLD:
        outbox.put(kind=CHANGED, payload={"shipment_id": str(shipment.pk)})
    return shipment


@transaction.atomic
def arrive_at(*, tracking_number: str, status: str) -> None:
    """Moves a parcel on to `status`, step by step, if that is ahead of it; what is behind it, or unknown, is no news.

    `Conflict` when it changed meanwhile.
    """
    shipment = Shipment.objects.filter(tracking_number=tracking_number).first()
    for step in _way(shipment.status, status) if shipment else ():
        assert shipment
        shipment = move(shipment=shipment, to=step)


def _way(here: str, there: str) -> list[str]:
    """The steps from a status to one ahead of it; none when it is not ahead."""
    steps, at = [], here
    while there not in TRANSITIONS[at]:
        if at not in NEXT:
            return []
        at = NEXT[at]
        steps.append(at)
    return [*steps, there]


def carry() -> int:
    """The simulated carrier: each parcel that it took on moves one step on, until it arrives; how many moved."""
    now, moved = timezone.now(), 0
    for shipment in rows.find_due(Shipment, {}, "look_at", now=now, most=AT_A_TIME):
        with suppress(Conflict):  # another sweep or staff have just moved it
            moved += _carry_on(shipment, look_at=now + MOVES_EVERY)
    return moved


@transaction.atomic
def _carry_on(shipment: Shipment, *, look_at: datetime) -> bool:
    """The parcel's next step and when it is due again, both or neither; False when it goes no further."""
    onward = NEXT.get(shipment.status)
    again = look_at if onward in NEXT else None
    as_read = {"pk": shipment.pk, "look_at": shipment.look_at, "version": shipment.version}
    if not rows.update(Shipment, as_read, look_at=again) or not onward:
        return False
    move(shipment=shipment, to=onward)
    return True


def delete_shipment(*, shipment: Shipment) -> None:
    """Forgets a shipment of staff's that nobody picked up yet; else `Conflict("not_deletable")`."""
    if shipment.look_at:
        raise Conflict("An order was paid and waits for this shipment, so it is kept.", code="not_deletable")
    versioned.delete(shipment, DELETABLE)


@transaction.atomic
def _keep(shipment: Shipment) -> None:
    rows.insert(shipment)
    rows.insert(ShipmentEvent(shipment=shipment, status=shipment.status))


def _check_not_shipped(order_id: uuid.UUID) -> None:
    if existing := Shipment.objects.filter(order_id=order_id).first():
        details = {"shipment_id": [str(existing.pk)]}
        raise Conflict("This order has a shipment already.", code="already_shipped", details=details)
