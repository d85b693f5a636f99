"""A filtered, ordered list of items that pages the way Django's paginator expects."""

from collections.abc import Mapping
from typing import Any

from shopkit.filters import check_ordering
from shopkit.items.filters import ORDERING
from shopkit.items.kind import ItemKind
from shopkit.items.services import items
from shopkit.mongo import Document

_HIDDEN = {"words": 0, "holds": 0}


class ItemQuery:
    """Nothing is asked of the store until it is counted or sliced."""

    ordered = True

    def __init__(self, kind: ItemKind, params: Mapping[str, str]) -> None:
        conditions = [
            each.apply(name, params[name]) for name, each in kind.all_filters.items() if params.get(name, "") != ""
        ]
        self.condition: Document = {"$and": conditions} if (conditions := [c for c in conditions if c]) else {}
        self.sort = _sort(params.get("ordering") or "name")

    def count(self) -> int:
        return items().count_documents(self.condition)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, page: slice) -> list[Document]:
        found = items().find(self.condition, _HIDDEN).sort(self.sort)
        return list(found.skip(page.start or 0).limit((page.stop or 0) - (page.start or 0)))


def _sort(ordering: str) -> list[tuple[str, int]]:
    fields: list[tuple[str, int]] = []
    for field in check_ordering(ordering, list(ORDERING)):
        fields.append((ORDERING[field.removeprefix("-")], -1 if field.startswith("-") else 1))
    return [*fields, ("_id", 1)]


def ordering_parameter() -> dict[str, Any]:
    return {"type": "string", "description": f"{', '.join(ORDERING)}; a leading - for descending"}
