"""What must hold of moves in every customer service: its tests subclass `MovesTests` and say who its customers are."""

from shopkit.customers.testing.arriving import ArrivingTests
from shopkit.customers.testing.leaving import LeavingTests
from shopkit.customers.testing.races import RacesTests


class MovesTests(LeavingTests, ArrivingTests, RacesTests):
    """All of it."""
