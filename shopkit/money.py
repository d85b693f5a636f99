"""Money: integer minor units inside, a decimal string with two digits outside."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

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
    """An ISO 4217 code. The shop sells in one currency until an exchange rate has a place to live."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"^USD\Z", **{"default": "USD", **kwargs})
        self.error_messages["invalid"] = "The shop sells in USD."
