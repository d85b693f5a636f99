"""Addresses: what is asked of one, and what is kept."""

import os
from typing import Any

import django
import pytest
from django.conf import settings

if "DJANGO_SETTINGS_MODULE" not in os.environ:  # no service was chosen, and none is needed
    settings.configure()
django.setup()

from shopkit.addresses import COUNTRIES, AddressSerializer  # noqa: E402

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "SW1Y", "country": "GB"}


def errors(**changes: Any) -> dict[str, Any]:
    shape = AddressSerializer(data={**ADDRESS, **changes})
    shape.is_valid()
    return dict(shape.errors)


def test_what_is_left_out_is_kept_as_empty_text() -> None:
    shape = AddressSerializer(data=ADDRESS)
    assert shape.is_valid()
    assert shape.validated_data == {**ADDRESS, "line2": "", "region": "", "phone": ""}


@pytest.mark.parametrize("field", ["name", "line1", "city", "postal_code", "country"])
def test_the_rest_is_required_and_not_blank(field: str) -> None:
    assert list(errors(**{field: " "})) == [field]
    assert list(errors(**{field: None})) == [field]


def test_a_country_is_taken_in_either_case() -> None:
    shape = AddressSerializer(data={**ADDRESS, "country": "nz"})
    assert shape.is_valid()
    assert shape.validated_data["country"] == "NZ"


@pytest.mark.parametrize("country", ["UK", "XX", "USA", "U", 12, "ß"])
def test_a_code_of_no_country_is_refused(country: object) -> None:
    assert list(errors(country=country)) == ["country"]


def test_all_countries_are_there() -> None:
    assert len(COUNTRIES) == 249
