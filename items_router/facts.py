"""What carts show of items of all types: the item services are asked at once, each for its own."""

from collections import defaultdict
from typing import Any

from items_router import clients
from shopkit import http, topology
from shopkit.errors import ShopError
from shopkit.topology import Service

SECONDS = 1.0  # that an item service may take: who shows a cart has no longer
_TYPES = topology.by_item_type()


def look(*, ids: list[str]) -> dict[str, Any]:
    """Id → its facts, None where there is no such item; those whose service gives no answer are left out."""
    parts: dict[str, list[str]] = defaultdict(list)
    for item_id in ids:
        parts[item_id.partition("_")[0]].append(item_id)
    found: dict[str, Any] = {item_id: None for kind in parts.keys() - _TYPES.keys() for item_id in parts[kind]}
    for facts in _asked({_TYPES[kind]: part for kind, part in parts.items() if kind in _TYPES}):
        found |= facts
    return found


def _asked(parts: dict[Service, list[str]]) -> list[dict[str, Any]]:
    def ask(service: Service) -> dict[str, Any]:
        try:
            known = clients.facts(service=service.name, ids=parts[service], seconds=SECONDS)
        except ShopError:
            return {}
        return {item_id: known.get(item_id) for item_id in parts[service]}

    if len(parts) == 1:
        return [ask(service) for service in parts]  # a thread costs more than it saves
    return list(http.of_each(parts, ask).values()) if parts else []
