"""The way to an item, and the collections that group items across types."""
