"""Mobiles: their fields, filters and examples, declared on the items kernel."""
