"""What a move from or to a VIP means here. The ledger, tier and redemptions of one who leaves stay, and wait."""

from typing import Any

from shopkit.customers.moves import Moves
from vip_customer import points, rating
from vip_customer.models import Customer


class VipMoves(Moves):
    def settled(self, customer: Any) -> None:
        """What was bought before counts too; what was counted before, not again."""
        for purchase in customer.purchases.order_by("placed_at", "pk"):
            points.credit(customer=customer, purchase=purchase)
        rating.rate(customer=customer, reason="arrival")


MOVES = VipMoves(Customer)
