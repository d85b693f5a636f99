"""The stock log: every change of an item's stock, whose entries are never changed.

A change is first written down in the item, by the update that makes it; a sweep moves it here. So what was done is in
the one or in the other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice

from pymongo import UpdateOne
from pymongo.collection import Collection

from shopkit import mongo
from shopkit.items.changes import items, now
from shopkit.mongo import Document

REPEATED_WITHIN = timedelta(seconds=10)  # so long, a step that could be repeated is looked for in the item
REPEATABLE = ("commit", "restock", "undone")
_ID = {"_id": 1}  # an item may hold many orders' changes
BATCH = 250  # items whose changes go to the log at once


def log() -> Collection[Document]:
    return mongo.collection("stock_log")


def ensure_indexes() -> None:
    items().create_index([("unlogged", 1), ("_id", 1)])
    log().create_index([("item_id", 1), ("at", 1), ("_id", 1)])


def entry(kind: str, quantity: int) -> Document:
    """A change of now; `quantity` is what it adds to, or takes from, what is free to sell."""
    return {"kind": kind, "quantity": quantity, "at": now()}


def was_done(item_id: str, change: str) -> bool:
    """Whether this change is in the item or, where it goes from there, in the log."""
    in_item = items().find_one({"_id": item_id, f"changes.{change}": {"$exists": True}}, _ID)
    return in_item is not None or is_logged(item_id, change)


def is_logged(item_id: str, change: str) -> bool:
    return log().find_one({"_id": f"{item_id}:{change}"}, _ID) is not None


def write() -> int:
    """Moves changes that are old enough from the items to the log; how many. An entry that is there is the same one."""
    count, old = 0, now() - REPEATED_WITHIN
    unlogged = items().find({"unlogged": {"$gt": 0}}, {"changes": 1}).batch_size(BATCH)
    while batch := list(islice(unlogged, BATCH)):
        count += _move_to_log({item["_id"]: _ready(item["changes"], old) for item in batch})
    return count


def _ready(changes: Document, old: datetime) -> Document:
    return {name: each for name, each in changes.items() if each["kind"] not in REPEATABLE or each["at"] <= old}


def _move_to_log(ready: Mapping[str, Document]) -> int:
    """Item id → its changes; all are in the log before the first goes from its item."""
    _write_down(ready)
    gone = [
        UpdateOne(
            {"_id": item_id, f"changes.{name}": {"$exists": True}},
            {"$unset": {f"changes.{name}": ""}, "$inc": {"unlogged": -1}},
        )
        for item_id, changes in ready.items()
        for name in changes
    ]
    if gone:
        items().bulk_write(gone, ordered=False)
    return len(gone)


def _write_down(ready: Mapping[str, Document]) -> None:
    writes = [
        UpdateOne({"_id": f"{item_id}:{name}"}, {"$setOnInsert": {"item_id": item_id, **change}}, upsert=True)
        for item_id, changes in ready.items()
        for name, change in changes.items()
    ]
    if writes:
        log().bulk_write(writes, ordered=False)


def forget(item: Document) -> None:
    """Keeps in the log what a deleted item had not yet written there."""
    _write_down({item["_id"]: item.get("changes", {})})


def page_of_stock(*, after: str) -> list[Document]:
    """The next 500 items by id: `{id, available, held, sold, put_in, holds}`.

    `put_in` is by the log since it was made; `holds` how many each order holds, by its id.
    """
    found = items().find({"_id": {"$gt": after}}).sort("_id", 1).limit(500)
    return [_counted(item) for item in found]


def _counted(item: Document) -> Document:
    whole = history(item_id=item["_id"], fresh=item["changes"])
    changes = [change for change in whole if change["at"] >= item["created_at"]]
    put_in = sum(change["quantity"] for change in changes if change["kind"] in ("initial", "adjust"))
    return {
        "id": item["_id"],
        **{name: item[name] for name in ("available", "held", "sold")},
        "put_in": put_in,
        "holds": {order_id: hold["quantity"] for order_id, hold in item["holds"].items()},
    }


def history(*, item_id: str, fresh: Document | None = None) -> list[Document]:
    """All changes of an item's stock, the latest first, logged or not yet: `{kind, quantity, at, …}`.

    `quantity` is what it added to, or took from, what is free to sell. `fresh` are those in the item, if it was read.
    """
    if fresh is None:
        fresh = (items().find_one({"_id": item_id}, {"changes": 1}) or {"changes": {}})["changes"]
    unlogged = {f"{item_id}:{name}": change for name, change in fresh.items()}
    logged = {entry["_id"]: entry for entry in log().find({"item_id": item_id})}
    return sorted((unlogged | logged).values(), key=lambda entry: entry["at"], reverse=True)
