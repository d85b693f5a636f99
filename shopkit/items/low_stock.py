"""Tells staff by mail of items that run low: once when what is free to sell falls to the item's `low_stock_at`.

The item itself says how far that is: `low` is absent while there is enough, `noticed` once there is not, `taken-…` by
who mails it, and `told` after. It goes when there is enough again. Each step is one conditional update, so that however
many look, a crossing is mailed at most once. A dip that is over before anybody looks is nobody's concern.
"""

import uuid
from collections.abc import Iterator

import structlog
from django.conf import settings

from shopkit import mail
from shopkit.items.changes import items
from shopkit.mongo import Document
from shopkit.outbox.handlers import NotSent, Undeliverable

MOST_A_MAIL = 100
TEMPLATE = "shopkit/low_stock"
log = structlog.get_logger()


def ensure_indexes() -> None:
    items().create_index([("available", 1), ("_id", 1)])
    items().create_index([("low", 1), ("_id", 1)])


def at_first(available: int, threshold: int | None) -> Document:
    """The field of a new item: who makes one with little in stock knows."""
    return {"low": "told"} if available <= _threshold({"low_stock_at": threshold}) else {}


def look() -> int:
    """Notices what has run low or has enough again, and mails what was noticed; how many items were mailed."""
    for item in items().find({"low": {"$exists": True}}, {"available": 1, "low_stock_at": 1}):
        if item["available"] > _threshold(item):
            enough = {"_id": item["_id"], "available": {"$gte": item["available"]}, **_same_threshold(item)}
            items().update_one(enough, {"$unset": {"low": ""}})
    for item in _fallen():
        low = {"_id": item["_id"], "low": {"$exists": False}, "available": {"$lte": _threshold(item)}}
        items().update_one({**low, **_same_threshold(item)}, {"$set": {"low": "noticed"}})
    return _tell(settings.ALERT_EMAIL) if settings.ALERT_EMAIL else 0


def _fallen() -> Iterator[Document]:
    new = {"low": {"$exists": False}}
    fields = {"available": 1, "low_stock_at": 1}
    yield from items().find({**new, "low_stock_at": None, "available": {"$lte": settings.LOW_STOCK_AT}}, fields)
    for item in items().find({**new, "low_stock_at": {"$gte": 0}}, fields):
        if item["available"] <= item["low_stock_at"]:
            yield item


def _threshold(item: Document) -> int:
    own = item.get("low_stock_at")
    return int(settings.LOW_STOCK_AT if own is None else own)


def _same_threshold(item: Document) -> Document:
    return {"low_stock_at": item.get("low_stock_at")}  # None is also what an item without the field has


def _tell(to: str) -> int:
    """One mail about all that is ours to tell."""
    claim = f"taken-{uuid.uuid4().hex}"
    noticed = [item["_id"] for item in items().find({"low": "noticed"}, {"_id": 1}).limit(MOST_A_MAIL)]
    for item_id in noticed:
        items().update_one({"_id": item_id, "low": "noticed"}, {"$set": {"low": claim}})
    ours = list(items().find({"low": claim}).sort("_id", 1))
    if ours:
        _become(claim, _mailed(to, ours))
    return len(ours)


def _mailed(to: str, found: list[Document]) -> str:
    """Sends the mail; what the items' `low` is then. What may have been sent is not sent again."""
    told = [{"id": item["_id"], "name": item["name"], "available": item["available"]} for item in found]
    try:
        mail.send(to=to, template=TEMPLATE, context={"items": told, "count": len(told)})
    except NotSent as error:
        log.warning("low stock not told", error=str(error))
        return "noticed"
    except Undeliverable as error:
        log.error("low stock not told", error=str(error))
    return "told"


def _become(claim: str, low: str) -> None:
    items().update_many({"low": claim}, {"$set": {"low": low}})
