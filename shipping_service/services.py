"""What can be done to shipments. Each change is a conditional update of the shipment as it was read, and its event."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from shipping_service.models import DELETABLE, TRANSITIONS, Shipment, ShipmentEvent, new_tracking_number
from shopkit import versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, found


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


def visible_shipments(*, identity: Identity) -> QuerySet[Shipment]:
    """A customer's own; to staff, all."""
    return Shipment.objects.all() if identity.is_staff else Shipment.objects.filter(customer_id=identity.customer_id)


def get_shipment(*, shipment_id: uuid.UUID, identity: Identity) -> Shipment:
    """`NotFound` when there is none or it is another's."""
    return found(visible_shipments(identity=identity).filter(pk=shipment_id).first())


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
    ShipmentEvent.objects.create(shipment=shipment, status=to)
    return shipment


def delete_shipment(*, shipment: Shipment) -> None:
    """Forgets a shipment that nobody picked up yet; else `Conflict("not_deletable")`."""
    versioned.delete(shipment, DELETABLE)


@transaction.atomic
def _keep(shipment: Shipment) -> None:
    shipment.save(force_insert=True)
    ShipmentEvent.objects.create(shipment=shipment, status=shipment.status)


def _check_not_shipped(order_id: uuid.UUID) -> None:
    if existing := Shipment.objects.filter(order_id=order_id).first():
        details = {"shipment_id": [str(existing.pk)]}
        raise Conflict("This order has a shipment already.", code="already_shipped", details=details)
