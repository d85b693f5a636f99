"""The database of shipping_service, step by step."""
