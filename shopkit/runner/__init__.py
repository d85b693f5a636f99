"""Runs the whole fleet on one machine: its stores, its services, and a restart for whatever dies."""
