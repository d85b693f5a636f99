"""How good recommendations are: of each customer, one thing they liked is held out, and looked for among ten."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from items_router.recommending import choosing, neighbours
from items_router.recommending.neighbours import Matrix, Near
from items_router.recommending.rebuilding import NEIGHBOURS
from items_router.recommending.signals import PURCHASE

AT = 10
POSITIVE = 4.0  # a rating that says that somebody liked it


@dataclass(frozen=True)
class Rating:
    """`at` is any number that grows with time; None where nobody said when."""

    customer: str
    item: str
    value: float | None = None
    at: float | None = None


@dataclass(frozen=True)
class Score:
    """`recall`: the part of held-out items found among `AT`; `coverage`: of all items, those recommended to anyone."""

    recall: float
    coverage: float


@dataclass(frozen=True)
class Result:
    customers: int
    items: int
    ours: Score
    popular: Score


class Unreadable(Exception):
    """A file of ratings that is none: one sentence, with the number of the line."""


def read(path: Path) -> Iterator[Rating]:
    """`user,item[,rating[,timestamp]]`, with a header or without one; `::` and tabs part as well as commas do."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, row in enumerate(csv.reader(re.sub(r"::|\t", ",", line) for line in file), 1):
            if not row:
                continue
            try:
                yield _rating(row)
            except (ValueError, IndexError):
                if number > 1:  # the first one is a header
                    raise Unreadable(f"Line {number} is not user,item,rating,timestamp.") from None


def _rating(row: list[str]) -> Rating:
    value, at = (float(row[place]) if len(row) > place and row[place] else None for place in (2, 3))
    if len(row) == 2 and not any(char.isdigit() for char in "".join(row)):
        raise ValueError("a header")
    return Rating(row[0], row[1], value, at)


def evaluate(ratings: Iterable[Rating], *, seed: int, positive: float = POSITIVE) -> Result:
    """What is liked trains, but for each customer's last; `ValueError` where nobody liked two things."""
    liked = _liked(ratings, positive)
    held_out, trained = _split(liked, seed)
    if not held_out:
        raise ValueError("nobody here liked two things, so none can be held out.")
    matrix = Matrix((customer, item, PURCHASE) for customer, items in trained.items() for item in items)
    near = dict(neighbours.nearest(matrix, most=NEIGHBOURS))
    best = [item for item, _ in neighbours.popular(matrix, most=len(matrix.ids))]
    everything = {each.item for ratings in liked.values() for each in ratings}

    def ours(customer: str) -> Iterator[str]:
        return _ours(trained[customer], near, best)

    def popular(customer: str) -> Iterator[str]:
        return iter(best)

    scores = [_score(pick, held_out, trained, len(everything)) for pick in (ours, popular)]
    return Result(len(held_out), len(everything), *scores)


def _liked(ratings: Iterable[Rating], positive: float) -> dict[str, list[Rating]]:
    """Customer → what they liked, each item once, in the order of the file."""
    liked: dict[str, dict[str, Rating]] = defaultdict(dict)
    for each in ratings:
        if each.value is None or each.value >= positive:
            liked[each.customer].setdefault(each.item, each)
    return {customer: list(items.values()) for customer, items in liked.items()}


def _split(liked: Mapping[str, list[Rating]], seed: int) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Customer → the item held out; and → the others, of which there is one at least. Who liked one only, trains."""
    random = Random(seed)  # noqa: S311
    held_out: dict[str, str] = {}
    trained: dict[str, list[str]] = {}
    for customer, items in sorted(liked.items()):
        shuffled = random.sample(items, len(items))  # so that what happened at one time has no order
        *rest, last = sorted(shuffled, key=lambda each: each.at or 0)
        if rest:
            held_out[customer] = last.item
        trained[customer] = [each.item for each in rest or [last]]
    return held_out, trained


def _ours(bought: list[str], near: Mapping[str, Near], best: list[str]) -> Iterator[str]:
    """As `choosing.for_customer` does it: what is near, then what sells."""
    first = choosing.scored(dict.fromkeys(bought[-choosing.TASTE :], PURCHASE), near)
    yield from first
    near_ones = set(first)
    yield from (item for item in best if item not in near_ones)


def _score(
    pick: Callable[[str], Iterator[str]], held_out: Mapping[str, str], trained: Mapping[str, list[str]], of: int
) -> Score:
    found, shown = 0, set[str]()
    for customer, item in held_out.items():
        bought = set(trained[customer])
        ten = list(islice((each for each in pick(customer) if each not in bought), AT))
        found += item in ten
        shown |= set(ten)
    return Score(found / len(held_out), len(shown) / of)
