"""What a move from or to a registered customer means here."""

from registered_customer.models import Customer
from shopkit.customers.moves import Moves

MOVES = Moves(Customer)
