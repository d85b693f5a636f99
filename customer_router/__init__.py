"""The way to a customer, wherever they are now."""
