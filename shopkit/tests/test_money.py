"""Money: minor units inside, a decimal string outside."""

from decimal import Decimal

import pytest
from rest_framework.exceptions import ValidationError

from shopkit.money import MAX_MINOR, CurrencyField, MoneyField, shown, to_minor


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (2999, "29.99"), (MAX_MINOR, "1000000000.00")])
def test_minor_units_and_text_are_the_same_amount(minor: int, text: str) -> None:
    assert shown(minor) == MoneyField().to_representation(minor) == text
    assert to_minor(Decimal(text)) == MoneyField().run_validation(text) == minor


@pytest.mark.parametrize("value", [29.99, "29.99", Decimal("29.99")])
def test_an_amount_is_taken_as_number_and_as_text(value: object) -> None:
    assert MoneyField().run_validation(value) == 2999


@pytest.mark.parametrize("value", ["-0.01", "1.999", "NaN", "Infinity", "1e400", "1000000000.01", "", "x", None, True])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        MoneyField().run_validation(value)


def test_a_least_amount_counts_in_major_units() -> None:
    field = MoneyField(min_value=Decimal("0.01"))
    assert field.run_validation("0.01") == 1
    with pytest.raises(ValidationError):
        field.run_validation("0.00")


def test_the_shop_sells_in_one_currency() -> None:
    assert (CurrencyField().run_validation("USD"), CurrencyField().get_default()) == ("USD", "USD")
    for other in ("EUR", "usd", "USD\n", ""):
        with pytest.raises(ValidationError):
            CurrencyField(trim_whitespace=False).run_validation(other)
