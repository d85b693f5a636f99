"""What can be done to collections."""

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from items_router.documents import collections
from shopkit.errors import Conflict, PreconditionFailed, found
from shopkit.mongo import Document


def get(*, slug: str) -> Document:
    return found(collections().find_one({"_id": slug}))


def create(*, values: Document) -> Document:
    """Keeps a new collection; `Conflict` when its slug is taken."""
    now = datetime.now(UTC)
    document = {**values, "created_at": now, "updated_at": now, "version": 1}
    try:
        collections().insert_one(document)
    except DuplicateKeyError:
        raise Conflict("There is a collection of that id already.", code="already_exists") from None
    return document


def update(*, slug: str, values: Document, version: int | None) -> Document:
    """Sets fields, never the slug, which items name. `PreconditionFailed` when `version` is not the present one."""
    changed = {name: value for name, value in values.items() if name != "_id"}
    updated = collections().find_one_and_update(
        _at(slug, version),
        {"$set": {**changed, "updated_at": datetime.now(UTC)}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if updated is None:
        get(slug=slug)
        raise PreconditionFailed
    return updated


def delete(*, slug: str, version: int | None) -> None:
    """Forgets the name; items keep saying that they are in it. `PreconditionFailed` as for `update`."""
    if collections().delete_one(_at(slug, version)).deleted_count == 0:
        get(slug=slug)
        raise PreconditionFailed


def _at(slug: str, version: int | None) -> Document:
    return {"_id": slug} if version is None else {"_id": slug, "version": version}
