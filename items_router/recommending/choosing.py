"""What is recommended to whom. Never what is out of stock, not for sale, or already theirs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from items_router.catalogue.change import Item
from items_router.recommending import alike, kept, shop, signals
from items_router.recommending.neighbours import Near
from shopkit.errors import found

MOST = 100  # items recommended
CONSIDERED = 200  # of which so many may turn out not to be for sale
TASTE = 50  # of the latest purchases, and of the latest views, that count
UNKNOWN = 2  # items of a customer's history, known to nobody else, whose like are looked for


@dataclass(frozen=True)
class Recommended:
    """`basis`: `history` where the caller's own counts for something, `popular` for newcomers."""

    items: list[Item]
    basis: str


def scored(taste: Mapping[str, float], near: Mapping[str, Near]) -> list[str]:
    """Items that are near to those of the taste, best first, ties by id."""
    scores: dict[str, float] = defaultdict(float)
    for item_id, weight in taste.items():
        for other, nearness in near.get(item_id, ()):
            scores[other] += weight * nearness
    return sorted(scores, key=lambda item_id: (-round(scores[item_id], 6), item_id))


def for_customer(*, customer_id: str | None) -> Recommended:
    """From what they bought and looked at; then what sells, then what others think well of."""
    history = signals.of_customer(customer_id) if customer_id else signals.History([], [])
    taste = history.weights(TASTE)
    near = kept.of(taste) if taste else {}
    own = _known(scored(taste, near), but=history.bought)
    own = own or _like_the_latest(history, but={*taste, *history.bought})
    return Recommended([*own, *_what_sells(but={*history.bought, *_ids(own)})][:MOST], "history" if own else "popular")


def _what_sells(*, but: set[str]) -> list[Item]:
    return _known(kept.popular(), but=but) or _best_rated(but=but)


def _ids(items: list[Item]) -> set[str]:
    return {item["id"] for item in items}


def similar(*, item_id: str, customer_id: str | None) -> list[Item]:
    """What others bought who bought this, then what is like it; `NotFound` where there is no such item."""
    item = found(shop.one(item_id))
    bought = {item_id, *signals.bought_by(customer_id)}
    near = kept.of([item_id]).get(item_id, [])
    first = _known([other for other, _ in near], but=bought)
    left_out = bought | _ids(first)
    return [*first, *(each for each in alike.ranked(item, most=MOST) if each["id"] not in left_out)][:MOST]


def _known(ids: Iterable[str], *, but: Iterable[str]) -> list[Item]:
    """Those that can be bought, in their order."""
    left_out = set(but)
    wanted = [item_id for item_id in ids if item_id not in left_out][:CONSIDERED]
    items = shop.some(wanted) if wanted else {}
    return [items[item_id] for item_id in wanted if item_id in items and shop.can_be_bought(items[item_id])]


def _like_the_latest(history: signals.History, *, but: set[str]) -> list[Item]:
    latest = [item for item_id in [*history.bought, *history.viewed][:UNKNOWN] if (item := shop.one(item_id))]
    ranked = {each["id"]: each for item in latest for each in alike.ranked(item, most=MOST // UNKNOWN)}
    return [each for item_id, each in ranked.items() if item_id not in but]


def _best_rated(*, but: set[str]) -> list[Item]:
    """For a shop that has sold nothing yet."""
    items = shop.listed({"in_stock": "true", "ordering": "-rating"}, most=MOST)
    return [item for item in items if item["id"] not in but and shop.can_be_bought(item)]
