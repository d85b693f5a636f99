"""What lists of carts can be narrowed by."""

from django_filters import rest_framework as filters

from cart_service.models import Cart
from shopkit.filters import MomentFilter


class CartFilter(filters.FilterSet):  # type: ignore[misc]
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Cart
        fields = ["owner_id", "owner_type"]
