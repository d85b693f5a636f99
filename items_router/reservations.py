"""An order's stock over all types: each item service is asked for its own; of a reservation, all do it or none."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
import structlog
from pymongo.errors import PyMongoError

from items_router import clients
from items_router.recommending import signals
from shopkit import topology
from shopkit.errors import Conflict, ShopError

PATIENCE = 0.5  # seconds for what nothing depends on
Lines = dict[str, int]
_TYPES = topology.by_item_type()
log = structlog.get_logger()


def reserve(*, order_id: str, lines: Lines) -> dict[str, Any]:
    """`{items: {id: {price}}}`, prices in minor units as they are now. Errors as of `shopkit.items.stock.reserve`."""
    items: dict[str, Any] = {}
    try:
        for service, part in _by_service(lines).items():
            items |= clients.reserve(service=service, order_id=order_id, lines=part)
    except ShopError as error:
        if error.is_refusal:  # else the order asks again, and may have held the others before
            release(order_id=order_id, lines=lines)
        raise
    return {"items": items}


def release(*, order_id: str, lines: Lines) -> dict[str, Any]:
    return _each(order_id, "release", lines)


def commit(*, order_id: str, lines: Lines, customer_id: str | None = None) -> dict[str, Any]:
    done = _each(order_id, "commit", lines, **({"customer_id": customer_id} if customer_id else {}))
    if customer_id:
        with _only_recommendations():
            signals.record_purchases(customer_id=customer_id, order_id=order_id, lines=lines)
    return done


def restock(*, order_id: str, lines: Lines, key: str) -> dict[str, Any]:
    done = _each(order_id, "restock", lines, key=key)
    with _only_recommendations():
        signals.take_back(order_id=order_id, lines=lines, key=key)
    return done


@contextmanager
def _only_recommendations() -> Iterator[None]:
    """No order waits for them, or fails for them."""
    try:
        with pymongo.timeout(PATIENCE):
            yield
    except PyMongoError as error:
        log.warning("recommendations did not hear of an order", error=type(error).__name__)


def change_buyer(*, order_id: str, lines: Lines, customer_id: str | None = None) -> dict[str, Any]:
    done = _each(order_id, "buyer", lines, customer_id=customer_id)
    with _only_recommendations():
        signals.change_buyer(order_id=order_id, customer_id=customer_id)
    return done


def _each(order_id: str, step: str, lines: Lines, **more: str | None) -> dict[str, Any]:
    for service, part in _by_service(lines).items():
        clients.take_step(service=service, order_id=order_id, step=step, body={"lines": part, **more})
    return {}


def _by_service(lines: Lines) -> dict[str, Lines]:
    parts: dict[str, Lines] = defaultdict(dict)
    for item_id, quantity in lines.items():
        service = _TYPES.get(item_id.partition("_")[0])
        if service is None:
            message = "There is no such item."
            raise Conflict(message, code="unknown_item", details={item_id: [message]})
        parts[service.name][item_id] = quantity
    return dict(sorted(parts.items()))


def page_of_stock(*, after: str) -> list[dict[str, Any]]:
    """The next items' stock, one type after the other: an id says which type it has come to."""
    kinds = sorted(_TYPES)
    begun = after.partition("_")[0]
    for kind in kinds[kinds.index(begun) if begun in kinds else 0 :]:
        if rows := clients.stock(service=_TYPES[kind].name, after=after if kind == begun else ""):
            return rows
    return []
