"""What it costs to send a parcel, and how long it takes: one table, by zone, method and started kilogram.

Prices are in minor units of the shop's currency, before tax.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shipping_service.models import MAX_WEIGHT_G, Method
from shopkit.errors import Invalid
from shopkit.money import CURRENCY

PIECE_G = 500  # of a piece that does not say what it weighs
HOME = "US"
OUTLYING = frozenset({"AK", "AS", "GU", "HI", "MP", "PR", "VI"})  # by their region, or as countries of their own
NEAR = frozenset({"CA", "MX"})
_IN_EUROPE = (
    "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT "
    "NL NO PL PT RO RS SE SI SJ SK SM UA VA"
)
EUROPE = frozenset(_IN_EUROPE.split())


@dataclass(frozen=True)
class Tariff:
    """`first` pays for the first kilogram, `more` for each one that is begun after it; days from `least` to `most`."""

    first: int
    more: int
    least: int
    most: int


TARIFFS: dict[str, dict[str, Tariff]] = {
    "home": {Method.STANDARD: Tariff(5_00, 1_00, 3, 5), Method.EXPRESS: Tariff(15_00, 2_00, 1, 2)},
    "outlying": {Method.STANDARD: Tariff(9_00, 3_00, 5, 10), Method.EXPRESS: Tariff(25_00, 5_00, 2, 4)},
    "near": {Method.STANDARD: Tariff(9_00, 3_00, 4, 8), Method.EXPRESS: Tariff(25_00, 5_00, 2, 3)},
    "europe": {Method.STANDARD: Tariff(12_00, 4_00, 6, 12), Method.EXPRESS: Tariff(35_00, 8_00, 2, 4)},
    "world": {Method.STANDARD: Tariff(16_00, 6_00, 8, 20), Method.EXPRESS: Tariff(45_00, 12_00, 3, 6)},
}


@dataclass(frozen=True)
class Days:
    least: int
    most: int


@dataclass(frozen=True)
class Rate:
    """What one method costs, in minor units."""

    method: str
    price: int
    days: Days
    currency: str = CURRENCY


@dataclass(frozen=True)
class Rates:
    zone: str
    weight_g: int
    rates: list[Rate]


def zone_of(country: str, region: str) -> str:
    if country in OUTLYING or (country == HOME and region.strip().upper() in OUTLYING):
        return "outlying"
    if country == HOME:
        return "home"
    return "near" if country in NEAR else "europe" if country in EUROPE else "world"


def weight(pieces: Iterable[tuple[int, int | None]]) -> int:
    """Of so many pieces of so many grams each, where known."""
    return sum(quantity * (PIECE_G if grams is None else grams) for quantity, grams in pieces)


def rates(*, country: str, region: str, weight_g: int) -> Rates:
    """Every method's price there; `Invalid("too_heavy")` for what no parcel is."""
    if weight_g > MAX_WEIGHT_G:
        message = f"A parcel weighs {MAX_WEIGHT_G // 1000} kg at most; this is {weight_g} g."
        raise Invalid(message, code="too_heavy", details={"weight_g": [message]})
    zone = zone_of(country, region)
    return Rates(zone, weight_g, [_rate(method, tariff, weight_g) for method, tariff in TARIFFS[zone].items()])


def _rate(method: str, tariff: Tariff, weight_g: int) -> Rate:
    begun = -(-weight_g // 1000) - 1  # kilograms after the first
    return Rate(str(method), tariff.first + tariff.more * begun, Days(tariff.least, tariff.most))
