"""The database of cart_service, step by step."""
