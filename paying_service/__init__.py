"""Payments: what was asked of whom for an order, and what became of it."""
