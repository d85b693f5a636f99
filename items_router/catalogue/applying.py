"""Takes what is told of items into the catalogue: in any order, any number of times, the latest state wins."""

import json
import sqlite3
import time
from collections.abc import Iterable

from items_router.catalogue import store
from items_router.catalogue.change import Change, Item
from items_router.catalogue.conditions import brand_key

Connection = sqlite3.Connection


def apply(changes: Iterable[Change], *, again: bool = False) -> int:
    """One transaction; how many were news. With `again`, the state that is known is written anew too."""
    with store.writing() as connection:
        news = sum(_apply(connection, change, again) for change in changes)
        if news:
            store.raise_generation(connection)
    return news


def _apply(connection: Connection, change: Change, again: bool) -> bool:
    number, known = _known(connection, change.id)
    if change.revision < known:
        return False
    if change.revision == known and not again:
        connection.execute("UPDATE items SET heard = ? WHERE number = ?", (time.time(), number))
        return False
    if change.item is None:
        return _bury(connection, number, change)
    _keep(connection, number, change, change.item)
    return True


def _known(connection: Connection, item_id: str) -> tuple[int | None, tuple[int, int]]:
    """Its number, if it is there, and the latest revision heard of, there or gone."""
    there = connection.execute("SELECT number, created_at, version FROM items WHERE id = ?", [item_id]).fetchone()
    gone = connection.execute("SELECT created_at, version FROM gone WHERE id = ?", [item_id]).fetchone()
    number, revision = (there[0], there[1:]) if there else (None, (-1, -1))
    return number, max(revision, gone or (-1, -1))


def _keep(connection: Connection, number: int | None, change: Change, item: Item) -> None:
    row = {
        "id": change.id,
        "type": change.type,
        "created_at": change.created_at,
        "version": change.version,
        "updated_at": change.updated_at,
        "name": item["name"],
        "price": change.price,
        "stock": item["stock"],
        "rating": item["rating"]["average"],
        "brand": item["brand"],
        "brand_key": brand_key(item["brand"]),
        "heard": time.time(),
    }
    if number is None:
        number = _insert(connection, row)
    else:
        _update(connection, number, row)
    connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (number, json.dumps(item, ensure_ascii=False)))
    _keep_texts(connection, number, change.texts)
    for table in ("tags", "collections"):
        _keep_values(connection, table, number, set(item[table]))


def _insert(connection: Connection, row: Item) -> int:
    marks = ", ".join(f":{name}" for name in row)
    number = connection.execute(f"INSERT INTO items ({', '.join(row)}) VALUES ({marks})", row).lastrowid
    assert number is not None
    return number


def _update(connection: Connection, number: int, row: Item) -> None:
    put = ", ".join(f"{name} = :{name}" for name in row)
    connection.execute(f"UPDATE items SET {put} WHERE number = :number", {**row, "number": number})


def _keep_texts(connection: Connection, number: int, texts: tuple[str, str, str]) -> None:
    """Most changes are of stock: they leave the texts, which cost most, as they are."""
    kept = connection.execute("SELECT name, makers, description FROM texts WHERE rowid = ?", [number]).fetchone()
    if kept is None:
        connection.execute("INSERT INTO texts (rowid, name, makers, description) VALUES (?, ?, ?, ?)", (number, *texts))
    elif kept != texts:
        put = "UPDATE texts SET name = ?, makers = ?, description = ? WHERE rowid = ?"
        connection.execute(put, (*texts, number))


def _keep_values(connection: Connection, table: str, number: int, values: set[str]) -> None:
    kept = {value for (value,) in connection.execute(f"SELECT value FROM {table} WHERE number = ?", [number])}
    gone, new = kept - values, values - kept
    connection.executemany(f"DELETE FROM {table} WHERE value = ? AND number = ?", [(value, number) for value in gone])
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(value, number) for value in new])


def _bury(connection: Connection, number: int | None, change: Change) -> bool:
    row = (change.id, change.created_at, change.version, time.time())
    connection.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)", row)
    if number is not None:
        _remove(connection, number)
    return number is not None


def _remove(connection: Connection, number: int) -> None:
    connection.execute("DELETE FROM texts WHERE rowid = ?", [number])
    for table in ("tags", "collections", "bodies", "items"):
        connection.execute(f"DELETE FROM {table} WHERE number = ?", [number])


def remove_unheard(*, item_type: str, since: float) -> int:
    """Takes out what its service, having told of all its items, did not name; how many."""
    with store.writing() as connection:
        unheard = connection.execute("SELECT number FROM items WHERE type = ? AND heard < ?", (item_type, since))
        numbers = [number for (number,) in unheard.fetchall()]
        for number in numbers:
            _remove(connection, number)
        if numbers:
            store.raise_generation(connection)
    return len(numbers)


def forget_gone(*, before: float) -> None:
    """Forgets deletions that were heard of so long ago that no older news can come any more."""
    with store.writing() as connection:
        connection.execute("DELETE FROM gone WHERE heard < ?", [before])
