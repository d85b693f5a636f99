"""A query parameter → a MongoDB condition. A kind declares its own with `contains`, `equals`, `at_least`, `after`."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from shopkit.errors import Invalid
from shopkit.money import MAX_MINOR, to_minor

Condition = dict[str, Any]


@dataclass(frozen=True)
class Filter:
    """`parse` text (a `ValueError` says what it must be); `condition` is what the parsed value asks of the store."""

    parse: Callable[[str], Any]
    condition: Callable[[Any], Condition]
    schema: Mapping[str, str]

    def apply(self, name: str, text: str) -> Condition:
        return self.condition(self.read(name, text))

    def read(self, name: str, text: str) -> Any:
        """The parsed value; `Invalid` for one that makes no sense."""
        try:
            return self.parse(text)
        except ValueError as error:
            raise Invalid(f"{name}: {error}", details={name: [str(error)]}) from None


def fold(text: str) -> str:
    """Case and accents away, so that `Émile` and `emile` meet."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def spaced(text: str) -> str:
    """The folded words of a text, a space before each, so that a search can tell where one begins."""
    return "".join(f" {word}" for word in re.findall(r"\w+", fold(text)))


def contains(field: str) -> Filter:
    """The text anywhere in the field, in any case."""
    return Filter(_text, lambda value: {field: {"$regex": re.escape(value), "$options": "i"}}, {"type": "string"})


def equals(field: str) -> Filter:
    """The whole field (or one of a list), in any case."""
    return Filter(
        _text, lambda value: {field: {"$regex": f"^{re.escape(value)}$", "$options": "i"}}, {"type": "string"}
    )


def exactly(field: str) -> Filter:
    """The whole field (or one of a list), to the letter; an index serves it."""
    return Filter(_text, lambda value: {field: value}, {"type": "string"})


def tagged(field: str) -> Filter:
    """One of a list of tags, which are kept in lower case; an index serves it."""
    return Filter(lambda text: _text(text).strip().lower(), lambda value: {field: value}, {"type": "string"})


def at_least(field: str) -> Filter:
    return Filter(_number, lambda value: {field: {"$gte": value}}, {"type": "number"})


def number(field: str) -> Filter:
    return Filter(_number, lambda value: {field: value}, {"type": "number"})


def after(field: str) -> Filter:
    """Later than a date, kept as ISO 8601 text, which compares as dates do."""
    return Filter(_date, lambda value: {field: {"$gt": value}}, {"type": "string", "format": "date"})


def search(field: str = "words") -> Filter:
    """Every word begins some word of the field; any order, case and accents aside."""
    return Filter(_text, lambda value: _all_words(field, value), {"type": "string"})


def _all_words(field: str, text: str) -> Condition:
    words = search_words(text)
    return {"$and": [{field: {"$regex": f" {word}"}} for word in words]} if words else {}


def search_words(text: str) -> list[str]:
    """What is looked for: the first ten words, folded."""
    return re.findall(r"\w+", fold(text))[:10]


def _text(text: str) -> str:
    if len(text) > 200:
        raise ValueError("must be at most 200 characters.")
    return text


def _number(text: str) -> float | int:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("must be a number.") from None
    if not value.is_finite() or abs(value) > 10**12:
        raise ValueError("must be a number of a sensible size.")
    return int(value) if value == value.to_integral_value() else float(value)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("must be a date such as 2026-01-31.") from None


def _price(text: str) -> int:
    try:
        minor = to_minor(Decimal(text))
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError("must be an amount such as 29.99.") from None
    if not 0 <= minor <= MAX_MINOR:
        raise ValueError("must be an amount such as 29.99.")
    return minor


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false.")
    return text.lower() in ("true", "1")


COMMON: dict[str, Filter] = {
    "search": search(),
    "min_price": Filter(_price, lambda value: {"price": {"$gte": value}}, {"type": "number"}),
    "max_price": Filter(_price, lambda value: {"price": {"$lte": value}}, {"type": "number"}),
    "brand": equals("brand"),
    "tag": tagged("tags"),
    "collection": exactly("collections"),
    "in_stock": Filter(_flag, lambda value: {"available": {"$gt": 0} if value else {"$lte": 0}}, {"type": "boolean"}),
}
ORDERING: dict[str, str] = {
    "name": "name",
    "price": "price",
    "stock": "available",
    "rating": "rating.average",
    "created_at": "created_at",
    "updated_at": "updated_at",
}
"""What a client may order by → the field it is kept in."""
