"""Shipments: the parcel of an order, and where it is."""
