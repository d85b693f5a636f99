"""All types as one list: each service's own order, merged.

To show a page, each service is asked for everything up to it, so a deep page costs what all before it cost;
`DEEPEST` bounds that.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
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
    merged = in_order([item for answer in live.values() for item in answer.items], ordering)
    return Combined(
        count=sum(answer.count for answer in live.values()),
        items=merged[(page - 1) * size : page * size],
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


def in_order(items: list[Item], ordering: list[str]) -> list[Item]:
    """Sorted by each field in turn, ties settled by id; without a value comes first, as in the item services."""

    def by(ordered: list[Item], field: str) -> list[Item]:
        return sorted(ordered, key=lambda item: _key(item, field.removeprefix("-")), reverse=field.startswith("-"))

    # stable sorts, the least important first; a reversed stable sort keeps ties in their order too
    return reduce(by, reversed(ordering), sorted(items, key=lambda item: str(item["id"])))


def _key(item: Item, field: str) -> tuple[bool, Any]:
    value = item["rating"]["average"] if field == "rating" else item[field]
    if field == "price" and value is not None:
        value = Decimal(value)
    return (value is not None, value)
