"""The one door: routing, docs, the health of the fleet."""
