"""An item's pictures: files in Django's storage, by name in the item, in the order they came.

A name is made of the content's hash and of chance, so that it never stands for another picture, and what is deleted is
no one else's. The file is there before the item names it; what no item names is swept away after a day.
"""

import hashlib
import secrets

from shopkit import pictures
from shopkit.errors import Conflict, Invalid, found
from shopkit.items import changes
from shopkit.items.changes import items
from shopkit.mongo import Document
from shopkit.pictures import Picture

MOST = 10
WIDTHS = (200, 600)  # pixels; the longer side of a thumbnail
TRIES = 50
FOLDER = "items"


def ensure_indexes() -> None:
    items().create_index("images")


def names(*, item_id: str) -> list[str]:
    return list(_item(item_id)["images"])


def add(*, item_id: str, raw: bytes) -> str:
    """The name of the picture; the one it has, if this item has it already.

    Errors as of `shopkit.pictures.cleaned`; `Conflict("too_many_images")`.
    """
    _check_room(_item(item_id))
    picture = pictures.cleaned(raw, place="image")
    digest = hashlib.sha256(picture.content).hexdigest()[:32]
    name = f"{digest}{secrets.token_hex(4)}.{picture.kind}"
    _keep(name, picture)
    try:
        there = _append(item_id, name, digest)
    except Exception:
        _forget(name)
        raise
    if there != name:
        _forget(name)
    return there


def _append(item_id: str, name: str, digest: str) -> str:
    for _ in range(TRIES):
        item = _item(item_id)
        if same := next((each for each in item["images"] if each.startswith(digest)), None):
            return str(same)
        _check_room(item)
        if _put(item, [*item["images"], name]):
            return name
    raise Conflict


def delete(*, item_id: str, name: str) -> None:
    """`NotFound` when the item has no such picture."""
    for _ in range(TRIES):
        item = _of(item_id, name)
        if _put(item, [each for each in item["images"] if each != name]):
            return _forget(name)
    raise Conflict


def content(*, item_id: str, name: str, width: int | None) -> Picture:
    """The picture, or its thumbnail of that width. `NotFound`; `Invalid` for a width that is none of `WIDTHS`."""
    if width not in (None, *WIDTHS):
        message = f"width must be one of {', '.join(map(str, WIDTHS))}."
        raise Invalid(message, details={"width": [message]})
    _of(item_id, name)
    return Picture(pictures.content_of(_file(name, width)), name.rpartition(".")[2])


def forget_all(item: Document) -> None:
    """The files of an item that is gone."""
    for name in item["images"]:
        _forget(name)


def forget_orphans() -> int:
    """The files that no item names; how many."""
    return pictures.forget_orphans(FOLDER, _named)


def _named(files: list[str]) -> set[str]:
    """Those of `<stem>.jpeg` and `<stem>.200.jpeg` whose `<stem>.jpeg` an item has."""
    picture_of = {file: f"{file.partition('.')[0]}.{file.rpartition('.')[2]}" for file in files}
    having = items().find({"images": {"$in": sorted(set(picture_of.values()))}}, {"images": 1})
    there = {name for item in having for name in item["images"]}
    return {file for file, name in picture_of.items() if name in there}


def _item(item_id: str) -> Document:
    return found(items().find_one({"_id": item_id}, {"images": 1, "version": 1}))


def _of(item_id: str, name: str) -> Document:
    return found(items().find_one({"_id": item_id, "images": name}, {"images": 1, "version": 1}))


def _put(item: Document, images: list[str]) -> bool:
    same = {"_id": item["_id"], "version": item["version"]}
    return changes.change(same, put={"images": images}) is not None


def _check_room(item: Document) -> None:
    if len(item["images"]) >= MOST:
        raise Conflict(f"An item has at most {MOST} images.", code="too_many_images")


def _file(name: str, width: int | None = None) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{FOLDER}/{stem}.{width}.{kind}" if width else f"{FOLDER}/{name}"


def _keep(name: str, picture: Picture) -> None:
    pictures.keep(picture, _file(name))
    for width in WIDTHS:
        pictures.keep(pictures.scaled(picture, width), _file(name, width))


def _forget(name: str) -> None:
    for width in (None, *WIDTHS):
        pictures.forget(_file(name, width))
