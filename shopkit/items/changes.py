"""The one way an item changes: one conditional update, which raises its version and leaves it to be told of."""

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.collection import Collection

from shopkit import mongo
from shopkit.mongo import Document


def items() -> Collection[Document]:
    return mongo.collection("items")


def change(
    where: Document, *, put: Document | None = None, inc: Document | None = None, unset: Document | None = None
) -> Document | None:
    """The item as it is then; None when there is none that meets the condition. `updated_at` is seen to here."""
    update: Document = {
        "$set": {**(put or {}), **new_state()},
        "$inc": {**(inc or {}), "version": 1},
        **({"$unset": unset} if unset else {}),
    }
    return items().find_one_and_update(where, update, return_document=ReturnDocument.AFTER)


def new_state() -> Document:
    """The fields of an item that was just made or changed; who feeds lists of items clears `untold`."""
    return {"updated_at": now(), "untold": True}


def now() -> datetime:
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)  # what the store keeps
