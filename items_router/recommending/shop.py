"""What items are now, as the catalogue has them: the one place where recommendations ask for them."""

from collections.abc import Mapping
from decimal import Decimal

from items_router.catalogue import reading
from items_router.catalogue.change import Item


def one(item_id: str) -> Item | None:
    """The item as the API shows it; None where there is none."""
    return reading.item(item_id=item_id)


def some(ids: list[str]) -> dict[str, Item]:
    """Those of them that there are."""
    return reading.some(ids=ids)


def listed(params: Mapping[str, str], *, most: int) -> list[Item]:
    """The first items of a list, with the parameters that the API has."""
    return reading.page(params=params, page=1, size=most).items


def can_be_bought(item: Item) -> bool:
    return item["stock"] > 0 and item["price"] is not None


def price(item: Item) -> float:
    return float(Decimal(item["price"] or 0))
