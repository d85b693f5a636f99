"""Money: integer minor units inside, a decimal string with two digits outside."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shopkit.errors import Invalid

CURRENCY = "USD"
"""The shop sells in one currency, until an exchange rate has a place to live."""
MAX_MINOR = 10**11  # one thousand million, in minor units: nothing here costs more


def shown(minor: int) -> str:
    """2999 → `"29.99"`."""
    return f"{Decimal(minor) / 100:.2f}"


def to_minor(amount: Decimal) -> int:
    """`Decimal("29.99")` → 2999."""
    return int(amount * 100)


class MoneyField(serializers.DecimalField):
    """A non-negative amount: takes `"29.99"` or `29.99`, gives the serializer minor units, shows `"29.99"`."""

    def __init__(self, **kwargs: Any) -> None:
        limits = {"max_digits": 12, "decimal_places": 2, "min_value": Decimal(0), "max_value": Decimal(MAX_MINOR) / 100}
        super().__init__(**{**limits, **kwargs})

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        return to_minor(super().to_internal_value(data))

    def run_validators(self, value: Any) -> None:
        super().run_validators(Decimal(value) / 100 if isinstance(value, int) else value)

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return shown(value)


class CurrencyField(serializers.RegexField):
    """An ISO 4217 code: the shop's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=rf"^{CURRENCY}\Z", **{"default": CURRENCY, **kwargs})
        self.error_messages["invalid"] = f"The shop sells in {CURRENCY}."


@extend_schema_field({"type": "string", "enum": [CURRENCY]})
class AskedCurrencyField(serializers.CharField):
    """The currency that a client expects to pay in; `check_currency` tells them if it is another."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 20, "required": False, **kwargs})


def check_currency(asked: str | None) -> None:
    """`Invalid("foreign_currency")` for any but the shop's own."""
    if asked not in (None, CURRENCY):
        message = f"The shop sells in {CURRENCY}."
        raise Invalid(message, code="foreign_currency", details={"currency": [message]})
