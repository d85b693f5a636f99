"""Query parameters → what they ask of the catalogue, in SQL. They are read as the item services read their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shopkit import topology
from shopkit.errors import Invalid
from shopkit.filters import check_ordering
from shopkit.items import words
from shopkit.items.filters import COMMON, ORDERING, search_words
from shopkit.pagination import positive

WEIGHTS = ", ".join(map(str, words.WEIGHTS))
_TYPES = topology.by_item_type()
Params = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One condition on `items i`, and its arguments."""

    sql: str
    arguments: tuple[Any, ...]


def brand_key(brand: str) -> str:
    """The same for what differs by case alone."""
    return brand.lower()


_CONDITIONS: Mapping[str, Callable[[Any], Part]] = {
    "min_price": lambda value: Part("i.price >= ?", (value,)),
    "max_price": lambda value: Part("i.price <= ?", (value,)),
    "brand": lambda value: Part("i.brand_key = ?", (brand_key(value),)),
    "tag": lambda value: Part("i.number IN (SELECT number FROM tags WHERE value = ?)", (value,)),
    "collection": lambda value: Part("i.number IN (SELECT number FROM collections WHERE value = ?)", (value,)),
    "in_stock": lambda value: Part("i.stock > 0" if value else "i.stock <= 0", ()),
}


@dataclass(frozen=True)
class Asked:
    """What a list was asked for. `match`: the words searched for, as FTS5 takes them; `by_match`: best match first."""

    parts: tuple[Part, ...]
    match: str
    order: str
    by_match: bool

    @property
    def source(self) -> str:
        return "texts JOIN items i ON i.number = texts.rowid" if self.match else "items i"

    @property
    def where(self) -> str:
        each = [*(["texts MATCH ?"] if self.match else []), *(part.sql for part in self.parts)]
        return f"WHERE {' AND '.join(each)}" if each else ""

    @property
    def arguments(self) -> tuple[Any, ...]:
        own = [argument for part in self.parts for argument in part.arguments]
        return (self.match, *own) if self.match else tuple(own)


def read(params: Params) -> Asked:
    """`Invalid` for a parameter that makes no sense."""
    given = {name: each.read(name, params[name]) for name, each in COMMON.items() if params.get(name)}
    match = " ".join(f'"{word}"*' for word in search_words(given.pop("search", "")))
    parts = [_CONDITIONS[name](value) for name, value in given.items()]
    parts += _of_types(params.get("type", "")) + _as_of(params.get("as_of", ""))
    by_match = bool(match) and not params.get("ordering")
    return Asked(tuple(parts), match, _order(params, by_match), by_match)


def _of_types(text: str) -> list[Part]:
    types = list(dict.fromkeys(filter(None, text.split(","))))
    if unknown := set(types) - _TYPES.keys():
        message = f"type must be one of {', '.join(sorted(_TYPES))}."
        raise Invalid(message, code="unknown_item_type", details={"type": [f"{', '.join(sorted(unknown))}: {message}"]})
    # the + keeps the index on types out of it: a type is a large part of all
    return [Part(f"+i.type IN ({', '.join('?' * len(types))})", tuple(types))] if types else []


def _as_of(text: str) -> list[Part]:
    """Only items that were there when a page was first read; `next` carries it on."""
    return [Part("i.number <= ?", (positive("as_of", text, at_most=10**15),))] if text else []


def _order(params: Params, by_match: bool) -> str:
    if by_match:
        return f"bm25(texts, {WEIGHTS}), i.name, i.id"
    fields = check_ordering(params.get("ordering") or "name", list(ORDERING))
    return ", ".join([*map(_direction, fields), "i.id"])


def _direction(field: str) -> str:
    return f"i.{field.removeprefix('-')}{' DESC' if field.startswith('-') else ''}"
