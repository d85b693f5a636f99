"""Tells the router in front of every item that was made, changed or deleted, and of who has bought which; and answers
what has changed since a time.

`untold`, in an item, a tombstone or a purchase, is the outbox: it is written with the change itself, and goes once the
router has taken that version. Whoever hears of a version twice, late or in another order can tell by `created_at` and
`version`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from pymongo import UpdateOne
from pymongo.collection import Collection

from shopkit import http
from shopkit.errors import ShopError
from shopkit.items import purchases
from shopkit.items.changes import items, now
from shopkit.items.kind import ItemKind, own_kind
from shopkit.items.query import HIDDEN
from shopkit.items.tombstones import tombstones
from shopkit.items.words import texts
from shopkit.mongo import Document

BATCH, BATCHES = 100, 20  # in one message, and such messages in one run
PATIENCE = 2.0  # seconds for the router to take one
UNTOLD = {"untold": True}
_SHOWN = dict.fromkeys(HIDDEN, 0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
log = structlog.get_logger()


def ensure_indexes() -> None:
    items().create_index("untold")
    items().create_index([("updated_at", 1), ("_id", 1)])


class _Router:
    """Whether it heard us the last time: one line in the log when that changes, not one a try."""

    hears = True

    def tell(self, *, changes: Iterable[Document] = (), purchases: Iterable[Document] = ()) -> bool:
        try:
            http.call(
                "POST",
                settings.SERVICE.behind or "",
                "/internal/changes/",
                json={"changes": list(changes), "purchases": list(purchases)},
                read_seconds=PATIENCE,
            )
        except ShopError as error:
            if self.hears:
                log.warning("changes not told", error=error.message)
            self.hears = False
        else:
            self.hears = True
        return self.hears


_router = _Router()


def tell_purchases() -> int:
    """Sends those that are untold, as far as one run goes; how many."""
    sold = list(purchases.purchases().find(UNTOLD).limit(BATCH))
    if not sold or not _router.tell(purchases=map(purchases.state, sold)):
        return 0
    _clear(purchases.purchases(), sold, "version")
    return len(sold)


def tell() -> int:
    """Sends what is untold of items, as far as one run goes; how many changes."""
    kind, told = own_kind(), 0
    for _ in range(BATCHES):
        batch, gone = list(items().find(UNTOLD, _SHOWN).limit(BATCH)), list(tombstones().find(UNTOLD).limit(BATCH))
        changes = [*(_gone(kind, stone) for stone in gone), *(_state(kind, item) for item in batch)]
        if not changes or not all(_router.tell(changes=part) for part in _parts(changes)):
            break
        _clear(items(), batch, "created_at", "version")
        _clear(tombstones(), gone, "created_at", "version")
        told += len(changes)
    return told


def _parts(changes: list[Document]) -> Iterable[list[Document]]:
    waiting = iter(changes)
    while part := list(islice(waiting, BATCH)):
        yield part


def _clear(collection: Collection[Document], told: list[Document], *revision: str) -> None:
    """Only where it is still what was told."""
    same = [{name: each[name] for name in ("_id", *revision)} for each in told]
    if same:
        collection.bulk_write([UpdateOne(each, {"$set": {"untold": False}}) for each in same], ordered=False)


def since(*, kind: ItemKind, moment: int, after: str, limit: int) -> dict[str, Any]:
    """`{changes, count, now, untold}`: what changed after a moment (ms since 1970) or, in that very ms, after an id.

    In the order of time and id; `count`: of all items.
    """
    pages = [
        [_state(kind, item) for item in _later(items(), moment, after, limit, {})],
        [_gone(kind, stone) for stone in _later(tombstones(), moment, after, limit, {"prepared": False})],
    ]
    found = sorted((each for page in pages for each in page), key=lambda each: (each["updated_at"], each["id"]))
    return {
        "changes": found[:limit],
        "count": items().count_documents({}),
        **standing(),
    }


def of(*, kind: ItemKind, ids: list[str]) -> dict[str, Any]:
    """The present state of these, as far as they are known: `{changes, now, untold}`."""
    named = {"_id": {"$in": ids}}
    changes = [_state(kind, item) for item in items().find(named, _SHOWN)] if ids else []
    changes += [_gone(kind, stone) for stone in tombstones().find({**named, "prepared": False})] if ids else []
    return {"changes": changes, **standing()}


def standing() -> dict[str, Any]:
    """The time here, in ms since 1970, and how many changes wait to be told."""
    return {"now": _ms(now()), "untold": items().count_documents(UNTOLD) + tombstones().count_documents(UNTOLD)}


def _later(collection: Collection[Document], moment: int, after: str, limit: int, where: Document) -> Any:
    at = _EPOCH + timedelta(milliseconds=moment)
    beyond = {"$or": [{"updated_at": {"$gt": at}}, {"_id": {"$gt": after}}]}
    found = collection.find({"updated_at": {"$gte": at}, **beyond, **where}, _SHOWN)
    return found.sort([("updated_at", 1), ("_id", 1)]).limit(limit)


def _state(kind: ItemKind, item: Document) -> Document:
    """An item as the API shows it, and what a list of items has to know beside."""
    return {**_revision(kind, item), "item": kind.reader.to_representation(item), "texts": texts(kind, item)}


def _gone(kind: ItemKind, stone: Document) -> Document:
    return {**_revision(kind, stone), "item": None}


def _revision(kind: ItemKind, document: Document) -> Document:
    times = {name: _ms(document[name]) for name in ("created_at", "updated_at")}
    return {"id": document["_id"], "type": kind.type, "version": document["version"], **times}


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
