"""Moves from and to guests, step by step."""

from shopkit.customers.testing import MovesTests


class TestGuestMoves(MovesTests):
    kind, path = "guest", "guest-customer"
    other, other_path = "registered", "registered-customer"
