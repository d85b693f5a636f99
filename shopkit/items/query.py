"""A filtered, ordered list of items, and the query parameters that ask for one."""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter

from shopkit.documents import Documents, sorting
from shopkit.items.changes import items
from shopkit.items.filters import ORDERING, Filter
from shopkit.items.kind import ItemKind
from shopkit.schema import PAGE_PARAMETERS, ordering_parameter

HIDDEN = ("words", "holds", "changes", "untold", "counted")


class ItemQuery(Documents):
    """The items of a kind that query parameters ask for; `Invalid` for a parameter that makes no sense."""

    def __init__(self, kind: ItemKind, params: Mapping[str, str]) -> None:
        asked = [each.apply(name, params[name]) for name, each in kind.all_filters.items() if params.get(name)]
        conditions = [condition for condition in asked if condition]
        super().__init__(
            items(),
            sort=sorting(params.get("ordering") or "name", ORDERING),
            condition={"$and": conditions} if conditions else None,
            hidden=HIDDEN,
        )


def list_parameters(filters: Mapping[str, Filter]) -> list[OpenApiParameter]:
    """A list of items in the schema: its filters, its order, its pages."""
    query = [OpenApiParameter(name, {**each.schema}, OpenApiParameter.QUERY) for name, each in filters.items()]
    return [*query, ordering_parameter(ORDERING), *PAGE_PARAMETERS]
