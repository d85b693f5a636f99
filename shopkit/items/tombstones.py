"""What is left of a deleted item for a day, so that whoever lists items hears that it is gone.

There are two writes, and a crash may come between them. So the tombstone comes first, `prepared`, which nobody is told;
once the item is gone, it counts. A sweep looks at those that stayed prepared: the item is there still, and then they
go, or it is not, and then they count.
"""

from collections.abc import Iterable
from datetime import timedelta

from pymongo.collection import Collection

from shopkit import mongo
from shopkit.items.changes import items, now
from shopkit.mongo import Document

KEPT = timedelta(days=1)
SETTLED_AFTER = timedelta(seconds=10)  # longer than any request that deletes can still be at it


def tombstones() -> Collection[Document]:
    return mongo.collection("deleted_items")


def ensure_indexes() -> None:
    tombstones().create_index("untold")
    tombstones().create_index("prepared")
    tombstones().create_index([("updated_at", 1), ("_id", 1)])


def prepare(item: Document) -> None:
    """Before the item is deleted; by somebody else it may just have been."""
    gone = {"_id": item["_id"], "created_at": item["created_at"], "prepared": False}
    if tombstones().find_one(gone) is None:
        _put(item, prepared=True)


def confirm(item: Document) -> None:
    """After it was, by whoever did it."""
    _put(item, prepared=False)


def _put(item: Document, *, prepared: bool) -> None:
    state = {"created_at": item["created_at"], "version": item["version"] + 1, "updated_at": now()}
    state |= {"prepared": prepared, "untold": not prepared}
    tombstones().update_one({"_id": item["_id"]}, {"$set": state}, upsert=True)


def go_on(made: Iterable[Document]) -> None:
    """An item that is made anew under an id goes on from the version that it ended with: an ETag names one state."""
    documents = {document["_id"]: document for document in made}
    for stone in tombstones().find({"_id": {"$in": list(documents)}}) if documents else ():
        documents[stone["_id"]]["version"] = stone["version"] + 1


def settle() -> int:
    """Decides those that were left prepared; how many."""
    left = list(tombstones().find({"prepared": True, "updated_at": {"$lt": now() - SETTLED_AFTER}}))
    for stone in left:
        same = {"_id": stone["_id"], "prepared": True, "updated_at": stone["updated_at"]}
        if items().find_one({"_id": stone["_id"], "created_at": stone["created_at"]}, {"_id": 1}):
            tombstones().delete_one(same)
        else:
            counts = {"prepared": False, "untold": True, "updated_at": now()}
            tombstones().update_one(same, {"$set": counts})
    return len(left)


def forget_old() -> int:
    """Those that all have long heard of; how many."""
    old = {"untold": False, "prepared": False, "updated_at": {"$lt": now() - KEPT}}
    return tombstones().delete_many(old).deleted_count
