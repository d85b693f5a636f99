"""Tests that need the outbox's table are collected where the service under test has one (`SHOP_SERVICE`)."""

from django.apps import apps

collect_ignore = [] if apps.is_installed("shopkit.outbox") else ["outbox/tests"]
