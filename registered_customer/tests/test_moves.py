"""Moves from and to registered customers, step by step."""

from shopkit.customers.testing import MovesTests


class TestRegisteredMoves(MovesTests):
    kind, path = "registered", "registered-customer"
    other, other_path = "vip", "vip-customer"
