"""What can be done to items. Each write that can race is one conditional update of one document."""

import uuid

from shopkit.errors import Conflict, PreconditionFailed, found
from shopkit.items import changes, feed, images, low_stock, purchases, reviews, stock, stock_log, tombstones
from shopkit.items.changes import items, now
from shopkit.items.kind import ItemKind
from shopkit.items.likes import LIKES
from shopkit.items.reviews import REVIEWS
from shopkit.items.words import words
from shopkit.mongo import Document

TRIES = 50  # of an update that others keep overtaking
SAID = (REVIEWS, LIKES)
INDEXES = ("price", "name", "created_at", "collections", "tags")


def ensure_indexes() -> None:
    for field in INDEXES:
        items().create_index([(field, 1), ("_id", 1)])
    stock.ensure_indexes()
    low_stock.ensure_indexes()
    reviews.ensure_indexes()
    LIKES.ensure_indexes()
    purchases.ensure_indexes()
    images.ensure_indexes()
    feed.ensure_indexes()
    tombstones.ensure_indexes()


def get(*, item_id: str) -> Document:
    """The document; `NotFound` when there is none."""
    return found(items().find_one({"_id": item_id}))


def create(*, kind: ItemKind, values: Document, item_id: str | None = None) -> Document:
    """Keeps a new item, and returns it. `values` are what the kind's serializer validated."""
    document = new_document(kind=kind, values=values, item_id=item_id or f"{kind.type}_{uuid.uuid4().hex}")
    items().insert_one(document)
    return document


def new_document(*, kind: ItemKind, values: Document, item_id: str) -> Document:
    """The document that `create` keeps; the sample data's loader makes its documents with it too."""
    document = {
        "images": [],
        "rating": {"average": 0.0, "count": 0},
        "likes": 0,
        "created_at": now(),
        **values,
        **stock.beginning(values.get("available", 0)),
        **low_stock.at_first(values.get("available", 0), values.get("low_stock_at")),
        **changes.new_state(),
        "_id": item_id,
        "version": 1,
    }
    return {**document, "words": words(kind, document)}


def update(*, kind: ItemKind, item_id: str, values: Document, version: int | None) -> Document:
    """Sets fields, never stock. `PreconditionFailed` when `version` is given and no longer the item's; `Conflict` when
    others kept changing it."""
    for _ in range(TRIES if version is None else 1):
        current = get(item_id=item_id)
        changed = {name: value for name, value in values.items() if name != "available"}
        # the words are made from this version's fields, so only this version may take them
        same = {"_id": item_id, "version": current["version"] if version is None else version}
        updated = changes.change(same, put={**changed, "words": words(kind, {**current, **changed})})
        if updated is not None:
            return updated
    raise Conflict if version is None else PreconditionFailed


def delete(*, item_id: str, version: int | None) -> None:
    """Removes an item that nobody holds, and what was said of it; `Conflict` while an order holds it."""
    current = get(item_id=item_id)
    if version is not None and current["version"] != version:
        raise PreconditionFailed
    for opinions in SAID:
        opinions.mark_all(item_id)  # if we end halfway, the sweep finds that they are about nothing
    tombstones.prepare(current)
    deleted = items().find_one_and_delete({"_id": item_id, "version": current["version"], "holds": {}})
    if deleted is None:
        raise Conflict("The item is held by an order, or has just changed.", code="item_in_use")
    tombstones.confirm(deleted)
    _forget(deleted)


def _forget(item: Document) -> None:
    stock_log.forget(item)
    for opinions in SAID:
        opinions.count(item["_id"])
    purchases.forget(item["_id"])
    images.forget_all(item)


def adjust_stock(*, item_id: str, change: int, reason: str, by: str | None) -> Document:
    """Adds to what is free to sell, or takes from it; `Conflict` rather than below zero."""
    updated = stock.adjust(item_id=item_id, change=change, reason=reason, by=by)
    if updated is None:
        get(item_id=item_id)
        raise Conflict("There is not that much in stock.", code="out_of_stock")
    return updated
