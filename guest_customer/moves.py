"""What a guest's move means here."""

from typing import Any

from guest_customer.models import Customer
from shopkit.customers import sessions
from shopkit.customers.moves import Moves


class GuestMoves(Moves):
    def left(self, customer: Any) -> None:
        """Who has an account now logs in to it."""
        sessions.close_all(subject=customer.pk)


MOVES = GuestMoves(Customer)
