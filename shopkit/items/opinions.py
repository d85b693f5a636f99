"""What customers say of items, such as reviews and likes: one document a customer and item, and their sum on the item.

Whoever writes one marks it `due` in the same update, then counts: all of the item's are summed up, and the sum is put
on the item if nobody else put one there since the item was read. So the last sum that is put there has seen whatever
was written before. Only then are the marks taken away; where a process ends before that, a sweep finds them and counts.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from shopkit import mongo
from shopkit.errors import found
from shopkit.items import changes
from shopkit.items.changes import items, now
from shopkit.mongo import Document

TRIES = 50
AT_ONCE = 500  # documents a sweep takes up


def id_of(item_id: str, customer_id: str) -> str:
    """Of what this customer says of this item; it does not tell who the customer is."""
    return hashlib.sha256(f"{item_id}\n{customer_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Opinions:
    """One kind of them, by the name of its collection; `sum_up` gives the item's fields from what is said of it."""

    name: str
    sum_up: Callable[[Collection[Document], Document], Document]

    @property
    def stored(self) -> Collection[Document]:
        return mongo.collection(self.name)

    def ensure_indexes(self) -> None:
        self.stored.create_index("item_id")
        self.stored.create_index("due")

    def of(self, item_id: str) -> Document:
        """The condition for those that count."""
        return {"item_id": item_id, "withdrawn": False}

    def mine(self, item_id: str, customer_id: str | None) -> Document | None:
        key = id_of(item_id, customer_id or "")
        return self.stored.find_one({"_id": key, "withdrawn": False}) if customer_id else None

    def say(self, item_id: str, customer_id: str, **fields: object) -> Document | None:
        """Says it, once: None when the customer has already. `NotFound` when there is no such item."""
        found(items().find_one({"_id": item_id}, {"_id": 1}))
        new = {"item_id": item_id, "customer_id": customer_id, "created_at": now(), **fields}
        try:
            said = self._write({"_id": id_of(item_id, customer_id), "withdrawn": True}, new, upsert=True)
        except DuplicateKeyError:
            return None
        found(self.count(item_id))  # it may have been deleted meanwhile, and then this is too
        return said

    def change(self, key: str, item_id: str, **fields: object) -> Document:
        """`NotFound` when nothing is said under this id of this item."""
        changed = found(self._write({"_id": key, **self.of(item_id)}, fields))
        self.count(item_id)
        return changed

    def withdraw(self, key: str, item_id: str) -> None:
        """`NotFound` as of `change`. It stays as a mark until it is counted no more."""
        found(self._write({"_id": key, **self.of(item_id)}, {"withdrawn": True}))
        self.count(item_id)

    def _write(self, where: Document, fields: Document, *, upsert: bool = False) -> Document | None:
        written = {"withdrawn": False, **fields, "updated_at": now(), "due": True, "revision": uuid.uuid4().hex}
        after = ReturnDocument.AFTER
        return self.stored.find_one_and_update(where, {"$set": written}, upsert=upsert, return_document=after)

    def count(self, item_id: str) -> Document | None:
        """The item with all that is said of it; None when it is gone, and then that goes too."""
        turn = f"counted.{self.name}"
        for _ in range(TRIES):
            item = items().find_one({"_id": item_id})
            due = list(self.stored.find({"item_id": item_id, "due": True}, {"revision": 1, "withdrawn": 1}))
            if item is None:
                self.stored.delete_many({"item_id": item_id})
                return None
            if not due:  # somebody else has counted it with theirs
                return item
            same = {"_id": item_id, turn: item.get("counted", {}).get(self.name)}
            counted = changes.change(same, put=self.sum_up(self.stored, self.of(item_id)), inc={turn: 1})
            if counted is not None:
                self._settle(due)
                return counted
        return item  # the sweep sees to it

    def _settle(self, due: list[Document]) -> None:
        """These are in the sum now, unless they changed meanwhile."""
        for each in due:
            same = {"_id": each["_id"], "revision": each["revision"]}
            if each["withdrawn"]:
                self.stored.delete_one(same)
            else:
                self.stored.update_one(same, {"$unset": {"due": ""}})

    def count_due(self) -> int:
        """Counts what somebody left uncounted; of how many items."""
        due = {each["item_id"] for each in self.stored.find({"due": True}, {"item_id": 1}).limit(AT_ONCE)}
        for item_id in due:
            self.count(item_id)
        return len(due)

    def mark_all(self, item_id: str) -> None:
        """Has all of an item looked at again, such as one that is about to go."""
        self.stored.update_many({"item_id": item_id}, {"$set": {"due": True}})
