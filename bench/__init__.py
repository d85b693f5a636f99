"""Measures the way through: `make bench`."""
