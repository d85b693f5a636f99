"""Guests: who they are without an account, and what they looked at."""
