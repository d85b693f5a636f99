"""All types as one list: each service's own order, merged.

To show a page, each service is asked for everything up to it, so a deep page costs what all before it cost;
`DEEPEST` bounds that.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from items_router import clients
from shopkit import topology
from shopkit.errors import Invalid, ShopError, Unavailable
from shopkit.filters import check_ordering
from shopkit.items.filters import ORDERING

DEEPEST = 10_000  # items, from the first one
Item = dict[str, Any]


@dataclass(frozen=True)
class Combined:
    """One page over all types; `sources`: type → `live`, or `unavailable` where its service did not answer."""

    count: int
    items: list[Item]
    sources: dict[str, str]


def list_items(*, params: dict[str, str], page: int, size: int, strict: bool) -> Combined:
    """One correct order and count over all services that answer.

    Raises what a service refused the filters with; `Unavailable` when none answers, or with `strict` when one does not.
    """
    if page * size > DEEPEST:
        raise Invalid(f"A combined list can be read up to item {DEEPEST}; narrow it by type or filter.")
    ordering = check_ordering(params.get("ordering") or "name", list(ORDERING))
    answers = clients.all_first_items(
        services=list(topology.by_item_type().values()), params=params, wanted=page * size
    )
    live = {kind: answer for kind, answer in answers.items() if isinstance(answer, clients.Items)}
    _check(answers, strict=strict, live=len(live))
    items = merged([live[kind].items for kind in sorted(live)], ordering)  # by type: so ties are in the order of ids
    return Combined(
        count=sum(answer.count for answer in live.values()),
        items=items[(page - 1) * size : page * size],
        sources={kind: "live" if kind in live else "unavailable" for kind in answers},
    )


def _check(answers: dict[str, clients.Items | ShopError], *, strict: bool, live: int) -> None:
    failed = {kind: answer for kind, answer in answers.items() if isinstance(answer, ShopError)}
    for error in failed.values():
        if error.status < 500:
            raise error
    if failed and (strict or not live):
        names = ", ".join(sorted(failed))
        raise Unavailable(f"No answer from the services of: {names}.", headers={"Retry-After": "1"})


def merged(lists: Iterable[list[Item]], ordering: list[str]) -> list[Item]:
    """Lists that are each in this order already, as one; what ties keeps the order of its list, and lists their own.

    Items are not sorted anew: a service orders by more than it shows, such as parts of a second.
    """

    def compare(one: Item, other: Item) -> int:
        for field in ordering:
            first, second = _key(one, field.removeprefix("-")), _key(other, field.removeprefix("-"))
            if first != second:
                return 1 if (first > second) != field.startswith("-") else -1
        return 0

    return list(heapq.merge(*lists, key=cmp_to_key(compare)))


def _key(item: Item, field: str) -> tuple[bool, Any]:
    """What is missing comes first, as in the item services."""
    value = item["rating"]["average"] if field == "rating" else item.get(field)
    if field == "price" and value is not None:
        value = Decimal(value)
    return (value is not None, 0 if value is None else value)
