"""What lists of orders can be narrowed by."""

from order_service.models import Order
from shopkit.filters import CreatedFilter


class OrderFilter(CreatedFilter):
    class Meta:
        model = Order
        fields = ["status", "customer_id"]
