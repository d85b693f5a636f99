"""Carts: what somebody means to buy, at the prices the items had when they were put in."""
