"""Tests of cart_service."""
