"""Likes: one a customer and item; the item shows how many."""

from shopkit.errors import NotFound, found
from shopkit.items.changes import items
from shopkit.items.opinions import Opinions, id_of
from shopkit.mongo import Document

LIKES = Opinions("likes", lambda stored, of: {"likes": stored.count_documents(of)})


def get(*, item_id: str, customer_id: str | None) -> Document:
    """`{liked, likes}`: whether this customer likes it, and how many do."""
    item = found(items().find_one({"_id": item_id}, {"likes": 1}))
    return {"liked": LIKES.mine(item_id, customer_id) is not None, "likes": item.get("likes", 0)}


def like(*, item_id: str, customer_id: str) -> Document:
    LIKES.say(item_id, customer_id)
    return get(item_id=item_id, customer_id=customer_id)


def unlike(*, item_id: str, customer_id: str) -> None:
    """Nothing, for who does not like it; `NotFound` for an item that is not there."""
    found(items().find_one({"_id": item_id}, {"_id": 1}))
    try:
        LIKES.withdraw(id_of(item_id, customer_id), item_id)
    except NotFound:
        return
