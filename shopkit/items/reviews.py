"""Reviews: one a customer and item. The item shows their average; each, whether its author has bought the item."""

from typing import Any

from pymongo.collection import Collection

from shopkit.documents import Documents, sorting
from shopkit.errors import Conflict, found
from shopkit.items import purchases
from shopkit.items.changes import items
from shopkit.items.opinions import Opinions, id_of
from shopkit.mongo import Document

ORDERING = {"created_at": "created_at", "updated_at": "updated_at", "rating": "rating"}
NEWEST = "-created_at"


def _rating(stored: Collection[Document], of: Document) -> Document:
    by_rating = list(stored.aggregate([{"$match": of}, {"$group": {"_id": "$rating", "count": {"$sum": 1}}}]))
    count = sum(each["count"] for each in by_rating)
    total = sum(each["_id"] * each["count"] for each in by_rating)
    return {"rating": {"average": total / count if count else 0.0, "count": count}}


REVIEWS = Opinions("reviews", _rating)


def ensure_indexes() -> None:
    REVIEWS.ensure_indexes()
    for field in ORDERING.values():
        REVIEWS.stored.create_index([("item_id", 1), (field, 1), ("_id", 1)])


def listed(*, item_id: str, ordering: str | None) -> Documents:
    """`NotFound` for an item that is not there, `Invalid` for an order that is none."""
    found(items().find_one({"_id": item_id}, {"_id": 1}))
    return Documents(REVIEWS.stored, sort=sorting(ordering or NEWEST, ORDERING), condition=REVIEWS.of(item_id))


def get(*, item_id: str, customer_id: str | None) -> Document:
    return found(REVIEWS.mine(item_id, customer_id))


def post(*, item_id: str, customer_id: str, **values: Any) -> Document:
    """`Conflict("already_reviewed")` for a second one of the same customer."""
    review = REVIEWS.say(item_id, customer_id, **values)
    if review is None:
        raise Conflict("You have reviewed this item already; change that review.", code="already_reviewed")
    return review


def change(*, item_id: str, customer_id: str | None, **values: Any) -> Document:
    return REVIEWS.change(id_of(item_id, customer_id or ""), item_id, **values)


def withdraw(*, item_id: str, customer_id: str | None) -> None:
    REVIEWS.withdraw(id_of(item_id, customer_id or ""), item_id)


def remove(*, item_id: str, review_id: str) -> None:
    """What staff do to one that should not be there."""
    REVIEWS.withdraw(review_id, item_id)


def shown(reviews: list[Document]) -> list[Document]:
    """With `verified`, which is asked for all at once: a purchase counts for a review that was written before it."""
    bought = purchases.made([review["_id"] for review in reviews])
    return [{**review, "verified": review["_id"] in bought} for review in reviews]
