"""Stock: what is free to sell, what orders hold, what is sold. Each step is one conditional update of one item.

An item's `available`, `held` and `sold` add up to what was ever put in. `holds` has one entry an order, so each step
can be repeated. The update that changes stock also writes the change down in the item (`changes`), for the stock log.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from shopkit.errors import Conflict, ShopError
from shopkit.items import changes, stock_log
from shopkit.items.changes import items, now
from shopkit.mongo import Document

HOLD = timedelta(minutes=10)
TRIES = 50
Lines = Mapping[str, int]
"""Item id → how many."""


def ensure_indexes() -> None:
    items().create_index([("held", 1), ("_id", 1)])
    stock_log.ensure_indexes()


def beginning(available: int) -> Document:
    """The stock fields of a new item."""
    # an item may come again, under its id, from a file; its log is still there
    initial = {f"initial-{uuid.uuid4().hex[:8]}": stock_log.entry("initial", available)} if available else {}
    return {"available": available, "held": 0, "sold": 0, "holds": {}, "changes": initial, "unlogged": len(initial)}


def adjust(*, item_id: str, change: int, reason: str, by: str | None = None) -> Document | None:
    """Adds to what is free to sell, or takes from it; the item, or None if there is none with that much."""
    made = {"reason": reason, **({"by": by} if by else {})}
    free = {"_id": item_id, "available": {"$gte": max(0, -change)}}
    return _step(free, f"adjust-{uuid.uuid4().hex}", "adjust", change, made, inc={"available": change})


def reserve(*, order_id: str, lines: Lines) -> list[Document]:
    """Holds all lines for the order, or none; the items as they are then. Asked again, the holds last longer.

    `Conflict`: `unknown_item`, `not_for_sale`, `out_of_stock`, `reserved_otherwise`, `order_undone`, with the item's id
    in `details`.
    """
    held: list[Document] = []
    try:
        for item_id, quantity in sorted(lines.items()):
            held.append(_hold(item_id, order_id, quantity))
    except ShopError:
        release(order_id=order_id, lines=lines)
        raise
    return held


def _hold(item_id: str, order_id: str, quantity: int) -> Document:
    hold, expires = f"holds.{order_id}", now() + HOLD
    free = {"_id": item_id, "price": {"$gte": 0}, "available": {"$gte": quantity}, hold: {"$exists": False}}
    free |= _not_done(_undone(order_id))
    if stock_log.is_logged(item_id, _undone(order_id)):
        raise _was_undone(item_id)
    for _ in range(TRIES):
        moved = {"available": -quantity, "held": quantity}
        put = {hold: {"quantity": quantity, "expires": expires}}
        taken = _step(free, _unique("reserve", order_id), "reserve", -quantity, {"order_id": order_id}, moved, put)
        if taken is not None:
            return taken
        item = items().find_one({"_id": item_id})
        if item is None or order_id not in item["holds"]:
            return _sold(item_id, item, order_id, quantity)
        if item["holds"][order_id]["quantity"] != quantity:
            raise _conflict("reserved_otherwise", item_id, "This order holds another number of this item.")
        same = {"_id": item_id, f"{hold}.quantity": quantity}
        if items().update_one(same, {"$set": {f"{hold}.expires": expires}}).matched_count:
            return item
    raise Conflict


def _sold(item_id: str, item: Document | None, order_id: str, quantity: int) -> Document:
    """The item, if the order was sold it before: it began again since it was not sold another. Else why not."""
    if item is not None and _undone(order_id) in item["changes"]:
        raise _was_undone(item_id)
    if item is not None and stock_log.was_done(item_id, f"commit-{order_id}"):
        return item
    raise _refusal(item_id, item, quantity)


def _was_undone(item_id: str) -> Conflict:
    return _conflict("order_undone", item_id, "This order has been undone.")


def _refusal(item_id: str, item: Document | None, quantity: int) -> Conflict:
    if item is None:
        return _conflict("unknown_item", item_id, "There is no such item any more.")
    if item.get("price") is None:
        return _conflict("not_for_sale", item_id, "This item is not for sale.")
    return _conflict("out_of_stock", item_id, f"There are {item['available']} of this item, not {quantity}.")


def release(*, order_id: str, lines: Iterable[str]) -> None:
    """Gives back what the order holds; what it does not hold, it need not give back."""
    for item_id in sorted(lines):
        _end(item_id, order_id, "release", lambda held: {"available": held, "held": -held})


def commit(*, order_id: str, lines: Lines) -> None:
    """What the order holds is sold, once. `Conflict("hold_gone")`, and no more is sold, when it holds one no longer."""
    for item_id in sorted(lines):
        if stock_log.was_done(item_id, f"commit-{order_id}"):
            release(order_id=order_id, lines=[item_id])  # held by a request that came after the sale
        elif not _end(item_id, order_id, "commit", lambda held: {"held": -held, "sold": held}):
            raise _conflict("hold_gone", item_id, "This order does not hold this item any more.")


def restock(*, order_id: str, key: str, lines: Lines) -> Lines:
    """The order is undone: what it was sold comes back, once for each `key`; what it was not, it never will be.

    However late a call to reserve or to commit comes after this, it finds the order undone. Gives the lines that it
    was sold.
    """
    change = f"restock-{key}"
    for item_id in sorted(lines):
        _never_sell(item_id, order_id)
    was_sold = {item_id: n for item_id, n in sorted(lines.items()) if stock_log.was_done(item_id, f"commit-{order_id}")}
    for item_id, quantity in was_sold.items():
        if not stock_log.was_done(item_id, change):
            sold = {"_id": item_id, "sold": {"$gte": quantity}, **_not_done(change)}
            moved = {"available": quantity, "sold": -quantity}
            _step(sold, change, "restock", quantity, {"order_id": order_id}, inc=moved)
    return was_sold


def _never_sell(item_id: str, order_id: str) -> None:
    """Writes into the item that the order is undone: nothing of it is sold that was not sold before."""
    undone = _undone(order_id)
    if not stock_log.was_done(item_id, undone):
        _step({"_id": item_id, **_not_done(undone)}, undone, "undone", 0, {"order_id": order_id}, inc={})


def _undone(order_id: str) -> str:
    return f"undone-{order_id}"


def _not_done(change: str) -> Document:
    """The condition that this change is not in the item."""
    return {f"changes.{change}": {"$exists": False}}


def _end(item_id: str, order_id: str, kind: str, moved: Any) -> bool:
    """Takes the order's hold away; whether there was one."""
    hold = f"holds.{order_id}"
    for _ in range(TRIES):
        item = items().find_one({"_id": item_id, hold: {"$exists": True}}, {hold: 1})
        if item is None:
            return False
        held = item["holds"][order_id]["quantity"]
        change = f"commit-{order_id}" if kind == "commit" else _unique(kind, order_id)
        inc, told = moved(held), {"order_id": order_id}
        same = {"_id": item_id, f"{hold}.quantity": held}
        if kind == "commit":
            same |= _not_done(_undone(order_id))
        if _step(same, change, kind, inc.get("available", 0), told, inc, unset={hold: ""}) is not None:
            return True
    raise Conflict


def _step(
    where: Document,
    change: str,
    kind: str,
    quantity: int,
    told: Document,
    inc: Document,
    put: Document | None = None,
    unset: Document | None = None,
) -> Document | None:
    """One update: the stock, and the change written down."""
    written = {**(put or {}), f"changes.{change}": {**stock_log.entry(kind, quantity), **told}}
    return changes.change(where, put=written, inc={**inc, "unlogged": 1}, unset=unset)


def release_expired() -> int:
    """Gives back the holds whose time is up; how many."""
    at, count = now(), 0
    for item in items().find({"held": {"$gt": 0}}, {"holds": 1}):
        expired = [order for order, hold in item["holds"].items() if hold["expires"] <= at]
        count += sum(_expire(item["_id"], order, item["holds"][order]) for order in expired)
    return count


def _expire(item_id: str, order_id: str, hold: Document) -> bool:
    same = {"_id": item_id, f"holds.{order_id}.expires": hold["expires"]}  # not one that was made to last meanwhile
    held = hold["quantity"]
    moved, gone = {"available": held, "held": -held}, {f"holds.{order_id}": ""}
    change = _unique("expire", order_id)
    return _step(same, change, "expire", held, {"order_id": order_id}, moved, unset=gone) is not None


def _unique(kind: str, order_id: str) -> str:
    return f"{kind}-{order_id}-{uuid.uuid4().hex[:8]}"


def _conflict(code: str, item_id: str, message: str) -> Conflict:
    return Conflict(message, code=code, details={item_id: [message]})
