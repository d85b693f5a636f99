"""What lists of shipments can be narrowed by."""

from shipping_service.models import Shipment
from shopkit.filters import CreatedFilter


class ShipmentFilter(CreatedFilter):
    class Meta:
        model = Shipment
        fields = ["order_id", "customer_id", "status", "method"]
