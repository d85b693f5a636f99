"""Who has bought what, as the order service says: it makes reviews verified, and the router recommends by it.

One document an item and order. A purchase and its coming back are written each by itself, so that they may be told in
any order, and any number of times. `untold` is the outbox, as in an item: see `feed`.
"""

from collections.abc import Iterable, Mapping

from pymongo.collection import Collection

from shopkit import mongo
from shopkit.items.opinions import id_of
from shopkit.mongo import Document

Lines = Mapping[str, int]


def purchases() -> Collection[Document]:
    return mongo.collection("purchases")


def ensure_indexes() -> None:
    purchases().create_index("by")
    purchases().create_index("item_id")
    purchases().create_index("untold")


def note(*, order_id: str, lines: Lines, customer_id: str) -> None:
    """The customer has bought these."""
    for item_id, quantity in lines.items():
        bought = {"item_id": item_id, "by": id_of(item_id, customer_id), "quantity": quantity}
        _write(item_id, order_id, {**bought, "customer_id": customer_id})


def give_back(*, order_id: str, lines: Lines, key: str) -> None:
    """So many came back; `key` names the time that they did."""
    for item_id, quantity in lines.items():
        _write(item_id, order_id, {"item_id": item_id, f"returned.{key}": quantity})


def change_buyer(*, order_id: str, lines: Lines, customer_id: str | None = None) -> None:
    """What was bought is another customer's now, such as a guest's who has signed in; with None, nobody's."""
    for item_id, quantity in lines.items():
        gone = {"returned.refund": quantity}
        now = {"by": id_of(item_id, customer_id), "customer_id": customer_id} if customer_id else gone
        _write(item_id, order_id, now, upsert=False)


def _write(item_id: str, order_id: str, fields: Document, *, upsert: bool = True) -> None:
    one, later = {"_id": f"{item_id}:{order_id}"}, {"$set": {**fields, "untold": True}, "$inc": {"version": 1}}
    purchases().update_one(one, later, upsert=upsert)


def made(opinions: Iterable[str]) -> set[str]:
    """Those of these ids (of what customers say of items) whose author has bought the item, and still has some."""
    bought = purchases().find({"by": {"$in": list(opinions)}}, {"by": 1, "quantity": 1, "returned": 1})
    return {each["by"] for each in bought if _has_some(each)}


def _has_some(purchase: Document) -> bool:
    return bool(purchase.get("quantity", 0) > sum(purchase.get("returned", {}).values()))


def state(purchase: Document) -> Document:
    """`{order, item, customer, version}`, as the router is told; `customer` null for who has none of it any more."""
    item, _, order = purchase["_id"].rpartition(":")
    customer = purchase.get("customer_id") if _has_some(purchase) else None
    return {"order": order, "item": item, "customer": customer, "version": purchase["version"]}


def forget(item_id: str) -> None:
    purchases().delete_many({"item_id": item_id})
