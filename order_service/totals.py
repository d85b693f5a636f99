"""What an order costs: the goods less the discount, shipping, and tax on both, each a line of its own.

Prices are before tax. The tax is one line, by the country that it goes to, rounded once: half a cent up.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from order_service.clients import Cart, Rate

WHOLE = 10_000  # basis points


@dataclass(frozen=True)
class Totals:
    """In minor units. `charges` are the lines beside the goods: `{kind, code, label, amount}`, a discount negative."""

    subtotal: int
    discount: int
    shipping: int
    tax: int
    charges: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping + self.tax


def totals(*, cart: Cart, rate: Rate, country: str) -> Totals:
    """`rate` is what shipping costs without a VIP's free shipping; `country` is where it goes."""
    discounts = [_charge("discount", each.code, each.label, -each.amount) for each in cart.discounts]
    off = sum(each.amount for each in cart.discounts)
    free = rate.method in cart.free_shipping
    shipping = 0 if free else rate.price
    label = f"{rate.method.title()} shipping{', free for VIPs' if free else ''}"
    tax = tax_on(cart.subtotal - off + shipping, country)
    charges = [
        *discounts,
        _charge("shipping", rate.method, label, shipping),
        _charge("tax", country, f"Tax, {_percent(tax_rate(country))} %", tax),
    ]
    return Totals(cart.subtotal, off, shipping, tax, charges)


def tax_rate(country: str) -> int:
    """In basis points; none where the table has none."""
    return int(settings.TAX_RATES.get(country, 0))  # type: ignore[misc]


def tax_on(amount: int, country: str) -> int:
    """On so much, in minor units; half a unit is rounded up."""
    return (amount * tax_rate(country) + WHOLE // 2) // WHOLE


def _percent(basis_points: int) -> str:
    return f"{basis_points / 100:.10g}"


def _charge(kind: str, code: str, label: str, amount: int) -> dict[str, Any]:
    return {"kind": kind, "code": code, "label": label, "amount": amount}
