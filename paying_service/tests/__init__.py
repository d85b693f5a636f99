"""Tests of paying_service."""
