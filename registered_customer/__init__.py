"""Registered customers: their profiles and addresses."""
