"""What customers bought and looked at: kept here to recommend items, and for nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pymongo import DeleteOne, UpdateOne
from pymongo.collection import Collection

from shopkit import mongo
from shopkit.mongo import Document

MOST_VIEWS = 100  # a customer; the oldest are forgotten
VIEWS_KEPT = timedelta(days=90)
PURCHASE, VIEW = 1.0, 0.3  # what each counts


@dataclass(frozen=True)
class Purchase:
    """Who has an item by an order, and still has some of it; None for nobody. The higher version is the later state."""

    order: str
    item: str
    customer: str | None
    version: int

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Raises `LookupError`, `TypeError` or `ValueError` for what is no purchase."""
        order, item, customer = str(told["order"]), str(told["item"]), told["customer"]
        return cls(order, item, None if customer is None else str(customer), int(told["version"]))


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


def take(told: Iterable[Purchase]) -> None:
    """What item services say of purchases: in any order, any number of times, the latest state wins."""
    writes = [write for each in told for write in _writes(each)]
    if writes:
        purchases().bulk_write(writes)


def _writes(told: Purchase) -> list[UpdateOne]:
    """Made where it is not known yet, then put into the state that is told, unless a later one is known."""
    one = {"_id": f"{told.order}:{told.item}"}
    begun = {"order": told.order, "item": told.item, "created_at": datetime.now(UTC), "customer": None}
    older = {**one, "$or": [{"version": {"$exists": False}}, {"version": {"$lt": told.version}}]}
    return [
        UpdateOne(one, {"$setOnInsert": begun}, upsert=True),
        UpdateOne(older, {"$set": {"customer": told.customer, "version": told.version}}),
    ]


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
        for each in kept.find({"customer": {"$ne": None}}, {"_id": 0, "customer": 1, "item": 1}).batch_size(5000):
            yield each["customer"], each["item"], counts


def count() -> dict[str, int]:
    return {kept.name: kept.count_documents({"customer": {"$ne": None}}) for kept in (purchases(), views())}
