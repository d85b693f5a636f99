"""What shipping_service does by itself: the simulated carrier moves parcels, and orders hear of it."""

from shipping_service import clients, services, webhooks
from shipping_service.models import Shipment
from shopkit import rows
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep


def tell_order(message: Message) -> None:
    shipment = rows.find(Shipment, {"pk": message.payload["shipment_id"]})
    if shipment is not None:
        clients.tell_order(shipment={"order_id": str(shipment.order_id), "status": shipment.status})


HANDLERS = {services.CHANGED: tell_order, webhooks.CARRIER_EVENT: webhooks.look_into}
SWEEPS = (Sweep(services.carry, every=1),)
