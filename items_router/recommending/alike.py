"""How alike two items are by what they are, for items of which nobody's purchases tell anything."""

import math

from items_router.catalogue.change import Item
from items_router.recommending import shop

ASKED = 60  # items for each thing that they may have in common
WEIGHTS = {"collections": 3.0, "tags": 2.0, "brand": 2.0}
OWN_FIELD = 1.0  # for each of the type's own fields that is the same
PRICE = 2.0  # for the same price; half of it for half the price, or twice
NAME = 0.5  # for each word of the names
_KEPT_BY_THE_SHOP = ("id", "type", "currency", "stock", "low_stock_at", "images", "rating", "likes", "version")
_NOT_COMPARED = frozenset((*_KEPT_BY_THE_SHOP, "created_at", "updated_at", "name", "description", "price", *WEIGHTS))


def ranked(item: Item, *, most: int) -> list[Item]:
    """Other items of its type that can be bought, the most alike first, ties by id."""
    found = {each["id"]: each for each in _candidates(item) if each["id"] != item["id"] and shop.can_be_bought(each)}
    return sorted(found.values(), key=lambda each: (-alikeness(item, each), each["id"]))[:most]


def _candidates(item: Item) -> list[Item]:
    """Items that have something in common with it; where that are too few, others of its type."""
    asked: list[dict[str, str]] = [
        *({"collection": slug} for slug in item["collections"][:3]),
        *({"tag": tag} for tag in item["tags"][:3]),
        *([{"brand": item["brand"]}] if item["brand"] else []),
    ]
    of_type = {"type": item["type"], "in_stock": "true"}
    found = [each for one in asked for each in shop.listed({**of_type, **one}, most=ASKED)]
    return found if len(found) >= ASKED else [*found, *shop.listed(of_type, most=ASKED)]


def alikeness(item: Item, other: Item) -> float:
    """0 for nothing in common; the rest is a matter of comparison."""
    common = sum(weight * _shared(item[name], other[name]) for name, weight in WEIGHTS.items())
    own = sum(OWN_FIELD for name in item.keys() - _NOT_COMPARED if item[name] and item[name] == other.get(name))
    words = NAME * len(_words(item) & _words(other))
    return round(common + own + words + PRICE * _closeness(shop.price(item), shop.price(other)), 6)


def _shared(value: list[str] | str, other: list[str] | str) -> float:
    if isinstance(value, str):
        return float(bool(value) and value == other)
    both = set(value) | set(other)
    return len(set(value) & set(other)) / len(both) if both else 0.0


def _words(item: Item) -> set[str]:
    return {word for word in item["name"].casefold().split() if len(word) > 3}


def _closeness(price: float, other: float) -> float:
    """1 for the same price, 0.5 for twice as much."""
    return 2.0 ** -abs(math.log2(price / other)) if price and other else 0.0
