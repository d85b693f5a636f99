"""What is read from the catalogue: pages, single items, the number of items in collections."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from items_router.catalogue import conditions, sources, store
from items_router.catalogue.change import Item
from items_router.catalogue.conditions import Asked, Params
from items_router.catalogue.kept import Kept

_counts: Kept[int] = Kept()


@dataclass(frozen=True)
class Page:
    """`count`: of all pages. `as_of`: a number that no item has which is made later."""

    count: int
    items: list[Item]
    as_of: int


def page(*, params: Params, page: int, size: int) -> Page:
    """The items in their order, from `(page - 1) * size` on; `Invalid` for a parameter that makes no sense."""
    asked = conditions.read(params)
    with store.reading() as connection:
        count = _counts.get(store.generation(connection), asked, lambda: _count(connection, asked))
        latest = connection.execute("SELECT MAX(number) FROM items").fetchone()[0] or 1
        numbers = _numbers(connection, asked, size, (page - 1) * size) if (page - 1) * size < count else []
        return Page(count, _bodies(connection, numbers), latest)


def _count(connection: sqlite3.Connection, asked: Asked) -> int:
    query = f"SELECT COUNT(*) FROM {asked.source} {asked.where}"
    return int(connection.execute(query, asked.arguments).fetchone()[0])


def _numbers(connection: sqlite3.Connection, asked: Asked, limit: int, offset: int) -> list[int]:
    query = f"SELECT i.number FROM {asked.source} {asked.where} ORDER BY {asked.order} LIMIT ? OFFSET ?"
    return [number for (number,) in connection.execute(query, (*asked.arguments, limit, offset))]


def _bodies(connection: sqlite3.Connection, numbers: list[int]) -> list[Item]:
    marks = ", ".join("?" * len(numbers))
    found = dict(connection.execute(f"SELECT number, body FROM bodies WHERE number IN ({marks})", numbers))
    return [json.loads(found[number]) for number in numbers]


def item(*, item_id: str) -> Item | None:
    """The item as its service last showed it."""
    query = "SELECT body FROM bodies WHERE number = (SELECT number FROM items WHERE id = ?)"
    with store.reading() as connection:
        found = connection.execute(query, [item_id]).fetchone()
    return json.loads(found[0]) if found else None


def some(*, ids: list[str]) -> dict[str, Item]:
    """By id, those of these items that there are."""
    marks = ", ".join("?" * len(ids))
    query = f"SELECT i.id, b.body FROM items i JOIN bodies b ON b.number = i.number WHERE i.id IN ({marks})"
    with store.reading() as connection:
        return {item_id: json.loads(body) for item_id, body in connection.execute(query, ids)}


def is_gone(*, item_id: str) -> bool:
    """Whether it is known to have been deleted."""
    with store.reading() as connection:
        return connection.execute("SELECT 1 FROM gone WHERE id = ?", [item_id]).fetchone() is not None


def counts_of_collections(slugs: Iterable[str]) -> dict[str, int]:
    """How many items name each."""
    asked = list(slugs)
    marks = ", ".join("?" * len(asked))
    query = f"SELECT value, COUNT(*) FROM collections WHERE value IN ({marks}) GROUP BY value"
    with store.reading() as connection:
        return dict.fromkeys(asked, 0) | dict(connection.execute(query, asked))


def counts_of_types() -> dict[str, int]:
    with store.reading() as connection:
        return dict(connection.execute("SELECT type, COUNT(*) FROM items GROUP BY type"))


def generation() -> str:
    """What changes with every change of the catalogue, and whenever a service goes away or comes back."""
    with store.reading() as connection:
        number = store.generation(connection)
    return f"{number}.{''.join(str(int(live)) for live in sources.live().values())}"
