"""The database of paying_service, step by step."""
