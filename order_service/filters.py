"""What lists of orders can be narrowed by."""

from django_filters import rest_framework as filters

from order_service.models import Order
from shopkit.filters import MomentFilter


class OrderFilter(filters.FilterSet):  # type: ignore[misc]
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields = ["status", "customer_id"]
