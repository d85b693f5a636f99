"""What customers bought and looked at: kept here to recommend items, and for nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import DeleteOne, ReturnDocument, UpdateOne
from pymongo.collection import Collection

from shopkit import mongo
from shopkit.mongo import Document

MOST_VIEWS = 100  # a customer; the oldest are forgotten
VIEWS_KEPT = timedelta(days=90)
PURCHASE, VIEW = 1.0, 0.3  # what each counts
Seen = Mapping[tuple[str, str], datetime]
"""(customer, item) → when they last looked at it."""


@dataclass(frozen=True)
class History:
    """Item ids, the latest first."""

    bought: list[str]
    viewed: list[str]

    def weights(self, most: int) -> dict[str, float]:
        """What counts for the customer's taste: the latest `most` of each."""
        return {**dict.fromkeys(self.viewed[:most], VIEW), **dict.fromkeys(self.bought[:most], PURCHASE)}


def purchases() -> Collection[Document]:
    return mongo.collection("purchases")


def views() -> Collection[Document]:
    return mongo.collection("views")


def ensure_indexes() -> None:
    for kept in (purchases(), views()):
        kept.create_index([("customer", 1)])
    purchases().create_index([("order", 1)])


def record_purchases(*, customer_id: str, order_id: str, lines: Mapping[str, int]) -> None:
    """Once for each order and item, however often it is told; `lines`: item id → how many."""
    told = {"customer": customer_id, "order": order_id, "created_at": datetime.now(UTC)}
    writes = [
        UpdateOne(
            {"_id": f"{order_id}:{item}"},
            {"$setOnInsert": {**told, "item": item, "quantity": quantity}},
            upsert=True,
        )
        for item, quantity in lines.items()
    ]
    if writes:
        purchases().bulk_write(writes, ordered=False)


def take_back(*, order_id: str, lines: Mapping[str, int], key: str) -> None:
    """So many came back, once for each `key`. Who has none left has not bought it."""
    for item, quantity in lines.items():
        one = {"_id": f"{order_id}:{item}"}
        back = {"$set": {f"back.{key}": quantity}}
        left = purchases().find_one_and_update(one, back, return_document=ReturnDocument.AFTER)
        if left and sum(left["back"].values()) >= left.get("quantity", 1):
            purchases().delete_one(one)


def change_buyer(*, order_id: str, customer_id: str | None) -> None:
    """The order is that customer's now, or nobody's."""
    if customer_id is None:
        purchases().delete_many({"order": order_id})
    else:
        purchases().update_many({"order": order_id}, {"$set": {"customer": customer_id}})


def record_views(seen: Seen) -> None:
    """Of each customer, the latest `MOST_VIEWS` items are kept."""
    writes = [
        UpdateOne(
            {"_id": f"{customer}:{item}"},
            {"$set": {"customer": customer, "item": item, "created_at": at}},
            upsert=True,
        )
        for (customer, item), at in seen.items()
    ]
    if writes:
        views().bulk_write(writes, ordered=False)
    for customer in {customer for customer, _ in seen}:
        too_many = _of(views(), customer)[MOST_VIEWS:]
        if too_many:
            views().bulk_write([DeleteOne({"_id": each["_id"]}) for each in too_many], ordered=False)


def forget_old_views() -> None:
    views().delete_many({"created_at": {"$lt": datetime.now(UTC) - VIEWS_KEPT}})


def of_customer(customer_id: str) -> History:
    bought, viewed = ([each["item"] for each in _of(kept, customer_id)] for kept in (purchases(), views()))
    return History(list(dict.fromkeys(bought)), viewed)


def bought_by(customer_id: str | None) -> set[str]:
    return {each["item"] for each in _of(purchases(), customer_id)} if customer_id else set()


def _of(kept: Collection[Document], customer_id: str) -> list[Document]:
    found = kept.find({"customer": customer_id})
    return sorted(found, key=lambda each: (each["created_at"], each["_id"]), reverse=True)


def every() -> Iterator[tuple[str, str, float]]:
    """All of them, as (customer, item, what it counts)."""
    for kept, counts in ((purchases(), PURCHASE), (views(), VIEW)):
        for each in kept.find({}, {"_id": 0, "customer": 1, "item": 1}).batch_size(5000):
            yield each["customer"], each["item"], counts


def count() -> dict[str, int]:
    return {kept.name: kept.estimated_document_count() for kept in (purchases(), views())}
