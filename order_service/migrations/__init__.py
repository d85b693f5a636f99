"""The database of order_service, step by step."""
