"""The item services as they would answer; `tests/e2e/test_peers.py` asks these and the real ones the same."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

FACT = {"type": "book", "name": "Clean Code", "price": 2999, "currency": "USD", "stock": 50, "weight_g": None}


@dataclass
class Shop:
    """What the item services know, by id: an item's facts, and None for one whose service can't say anything."""

    items: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    calls: int = 0

    def sell(self, item_id: str = "book_1", **changes: Any) -> str:
        """Makes an item known to its service, and gives its id; again, to change it. The price as the API has it."""
        if changes.get("price") is not None:
            changes["price"] = int(Decimal(str(changes["price"])) * 100)
        self.items[item_id] = {**FACT, **changes}
        return item_id

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.calls += 1
        known = {item_id: self.items[item_id] for item_id in json.loads(request.body)["ids"] if item_id in self.items}
        if None in known.values():
            return 503, {}, json.dumps({"error": "No.", "code": "unavailable", "details": {}})
        return 200, {}, json.dumps({"items": known})
