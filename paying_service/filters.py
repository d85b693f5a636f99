"""What lists of payments can be narrowed by."""

from django_filters import rest_framework as filters

from paying_service.models import Payment
from shopkit.filters import MomentFilter


class PaymentFilter(filters.FilterSet):  # type: ignore[misc]
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Payment
        fields = ["order_id", "customer_id", "status", "provider"]
