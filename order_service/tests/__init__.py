"""Tests of order_service."""
