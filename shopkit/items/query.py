"""A filtered, ordered list of items, and the query parameters that ask for one."""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter

from shopkit.documents import Documents, sorting
from shopkit.items.changes import items
from shopkit.items.filters import ORDERING, Filter
from shopkit.items.kind import ItemKind
from shopkit.items.words import match
from shopkit.mongo import Document
from shopkit.schema import PAGE_PARAMETERS, ordering_parameter

HIDDEN = ("words", "holds", "changes", "untold", "counted")


RANKED = 1000  # found by a search, at most, that are put in the order of how well they match


class ItemQuery(Documents):
    """The items of a kind that query parameters ask for; `Invalid` for a parameter that makes no sense.

    Without `ordering` they are by name or, of a search that finds not too many, the best match first.
    """

    def __init__(self, kind: ItemKind, params: Mapping[str, str]) -> None:
        self._kind = kind
        self._search = "" if params.get("ordering") else params.get("search", "")
        asked = [each.apply(name, params[name]) for name, each in kind.all_filters.items() if params.get(name)]
        conditions = [condition for condition in asked if condition]
        super().__init__(
            items(),
            sort=sorting(params.get("ordering") or "name", ORDERING),
            condition={"$and": conditions} if conditions else None,
            hidden=HIDDEN,
        )

    def __getitem__(self, page: slice) -> list[Document]:
        if not self._search or self.count() > RANKED:
            return super().__getitem__(page)
        wanted = self._best_first()[page.start : page.stop]
        shown = dict.fromkeys(HIDDEN, 0)
        found = {item["_id"]: item for item in items().find({"_id": {"$in": wanted}}, shown)}
        return [found[item_id] for item_id in wanted if item_id in found]

    def _best_first(self) -> list[str]:
        read = ("name", "brand", "tags", "description", *self._kind.searched)
        found = list(items().find(self.condition, dict.fromkeys(read, 1)))
        found.sort(key=lambda item: (-match(self._kind, item, self._search), item["name"], item["_id"]))
        return [item["_id"] for item in found]


def list_parameters(filters: Mapping[str, Filter]) -> list[OpenApiParameter]:
    """A list of items in the schema: its filters, its order, its pages."""
    query = [OpenApiParameter(name, {**each.schema}, OpenApiParameter.QUERY) for name, each in filters.items()]
    return [*query, ordering_parameter(ORDERING), *PAGE_PARAMETERS]
