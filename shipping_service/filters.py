"""What lists of shipments can be narrowed by."""

from django_filters import rest_framework as filters

from shipping_service.models import Shipment
from shopkit.filters import MomentFilter


class ShipmentFilter(filters.FilterSet):  # type: ignore[misc]
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Shipment
        fields = ["order_id", "customer_id", "status", "method"]
