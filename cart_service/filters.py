"""What lists of carts can be narrowed by."""

from cart_service.models import Cart
from shopkit.filters import CreatedFilter


class CartFilter(CreatedFilter):
    class Meta:
        model = Cart
        fields = ["owner_id", "owner_type"]
