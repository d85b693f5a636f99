"""What an item service says of one item: its present state, or that it is gone. See `shopkit.items.feed`."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from shopkit.money import to_minor

Item = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Times in ms since 1970. `item` is as the API shows it, None if it is gone; `texts`, folded: of the name, of
    makers and tags, of the description."""

    id: str
    type: str
    created_at: int
    version: int
    updated_at: int
    item: Item | None
    texts: tuple[str, str, str] = ("", "", "")

    @property
    def revision(self) -> tuple[int, int]:
        """Of two states of an id, the greater one is later: an item made anew begins again at version 1."""
        return (self.created_at, self.version)

    @property
    def price(self) -> int | None:
        """In minor units."""
        price = (self.item or {}).get("price")
        return None if price is None else to_minor(Decimal(price))

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Raises `LookupError`, `TypeError` or `ValueError` for what is no change."""
        item = told["item"]
        name, makers, description = map(str, told["texts"]) if item is not None else ("", "", "")
        numbers = {name: int(told[name]) for name in ("created_at", "version", "updated_at")}
        return cls(
            id=str(told["id"]),
            type=str(told["type"]),
            item=None if item is None else _checked(dict(item)),
            texts=(name, makers, description),
            **numbers,
        )


def _checked(item: Item) -> Item:
    """Raises, as `read` does, for what has not the fields that lists are made of."""
    numbers = [item["stock"], item["rating"]["average"], item["price"] or 0]
    words = [item["name"], item["brand"], *item["tags"], *item["collections"]]
    if not all(isinstance(word, str) for word in words) or not all(Decimal(number).is_finite() for number in numbers):
        raise ValueError("an item that lists could not show")
    return item
