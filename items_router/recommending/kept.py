"""What the last rebuild found, in the store: each item's neighbours and what sells, read by id."""

from collections.abc import Iterable
from itertools import islice

from pymongo import UpdateOne
from pymongo.collection import Collection

from items_router.recommending.neighbours import Near
from shopkit import mongo
from shopkit.mongo import Document

POPULAR = "popular"  # in the place of an item's id, each of which has its type before a `_`
BATCH = 500


def neighbours() -> Collection[Document]:
    return mongo.collection("neighbours")


def put(found: Iterable[tuple[str, Near]], *, build: str) -> int:
    """Keeps them in the place of those of earlier builds, whose names sort before; how many. Meanwhile each id has its
    old ones or its new."""
    found, count = iter(found), 0
    while batch := list(islice(found, BATCH)):
        writes = [UpdateOne({"_id": item_id}, {"$set": _document(near, build)}, upsert=True) for item_id, near in batch]
        neighbours().bulk_write(writes, ordered=False)
        count += len(batch)
    neighbours().delete_many({"build": {"$lt": build}})  # another that began later leaves its own
    return count


def _document(near: Near, build: str) -> Document:
    return {"build": build, "ids": [item_id for item_id, _ in near], "scores": [score for _, score in near]}


def of(ids: Iterable[str]) -> dict[str, Near]:
    """Those of these ids that have any."""
    found = neighbours().find({"_id": {"$in": list(ids)}})
    return {each["_id"]: list(zip(each["ids"], each["scores"], strict=True)) for each in found}


def popular() -> list[str]:
    """What sells, best first."""
    return [item_id for item_id, _ in of([POPULAR]).get(POPULAR, [])]
