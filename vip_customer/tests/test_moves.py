"""Moves from and to VIPs, step by step."""

from shopkit.customers.testing import MovesTests


class TestVipMoves(MovesTests):
    kind, path = "vip", "vip-customer"
    other, other_path = "registered", "registered-customer"
