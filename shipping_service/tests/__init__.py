"""Tests of shipping_service."""
