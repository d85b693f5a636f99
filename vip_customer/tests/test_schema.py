"""The OpenAPI schema says all there is to say, and the migrations are up to date."""

import io

import pytest
from django.core.management import call_command


def test_the_schema_is_valid_and_free_of_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=io.StringIO())
