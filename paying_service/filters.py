"""What lists of payments can be narrowed by."""

from paying_service.models import Payment
from shopkit.filters import CreatedFilter


class PaymentFilter(CreatedFilter):
    class Meta:
        model = Payment
        fields = ["order_id", "customer_id", "status", "provider"]
