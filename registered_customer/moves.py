"""What a move from or to a registered customer means here: for the account above all, which stays here for VIPs too."""

import uuid
from typing import Any

from registered_customer import registrations
from registered_customer.models import Account, Customer
from shopkit.customers.moves import Moves


class RegisteredMoves(Moves):
    def arrived(self, customer: Any, registration_id: uuid.UUID | None = None, **more: Any) -> None:
        """A guest arrives with the registration that they began; its email is theirs from here on."""
        if registration_id:
            registrations.reserve(registration_id=registration_id, customer=customer)

    def settled(self, customer: Any) -> None:
        registrations.open_reserved(customer=customer)
        Account.objects.filter(pk=customer.pk).update(customer_type="registered")

    def refused(self, customer: Any) -> None:
        registrations.give_back(customer=customer)

    def left(self, customer: Any) -> None:
        Account.objects.filter(pk=customer.pk).update(customer_type=customer.moved_to)


MOVES = RegisteredMoves(Customer)
