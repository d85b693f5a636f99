"""What lists of carts can be narrowed by."""

from django_filters import rest_framework as filters

from cart_service.models import Cart


class CartFilter(filters.FilterSet):  # type: ignore[misc]
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Cart
        fields = ["owner_id", "owner_type"]
