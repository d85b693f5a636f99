"""What items are now: the one place where recommendations ask for them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from items_router import clients, facts
from shopkit import topology
from shopkit.errors import ShopError
from shopkit.money import shown

Item = dict[str, Any]
_TYPES = topology.by_item_type()


def one(item_id: str) -> Item | None:
    """The item as the API shows it; None where there is none."""
    service = _TYPES.get(item_id.partition("_")[0])
    return clients.item(service=service, item_id=item_id) if service else None


def some(ids: list[str]) -> dict[str, Item]:
    """Those of them that there are."""
    return {item_id: _item(item_id, fact) for item_id, fact in facts.look(ids=ids).items() if fact}


def _item(item_id: str, fact: dict[str, Any]) -> Item:
    price = fact["price"]
    return {"id": item_id, **fact, "price": None if price is None else shown(price)}


def listed(params: Mapping[str, str], *, most: int) -> list[Item]:
    """The first items of a list, with the parameters that the API has; what a service does not say is left out."""
    asked = {name: value for name, value in params.items() if name != "type"}
    services = [_TYPES[params["type"]]] if "type" in params else list(_TYPES.values())
    answers = clients.all_first_items(services=services, params=asked, wanted=most)
    return [item for answer in answers.values() if not isinstance(answer, ShopError) for item in answer.items][:most]


def can_be_bought(item: Item) -> bool:
    return item["stock"] > 0 and item["price"] is not None


def price(item: Item) -> float:
    return float(Decimal(item["price"] or 0))
