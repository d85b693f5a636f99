"""An order's stock over all types: each item service is asked for its own; of a reservation, all do it or none."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from shopkit import http, topology
from shopkit.errors import Conflict, ShopError

Lines = dict[str, int]
"""Item id → how many."""
SECONDS = 5.0  # that all of them may take together for one step
LEAST = 0.5  # that the last one may take, too


def reserve(*, order_id: uuid.UUID, lines: Lines) -> dict[str, int | None]:
    """Holds all of it, or nothing; what each item costs now, in minor units, None for one that has lost its price.

    A `ShopError` of 409: `out_of_stock`, `not_for_sale`, `unknown_item`. Where one type's service can't say, the others
    keep what they hold: an order that waits for its payment reserves again and again, and must not lose its goods so.
    """
    prices: dict[str, int | None] = {}
    try:
        _check_types(lines)
        for service, held in _each(order_id, "reserve", lines):
            with http.understanding(service):
                prices |= {item_id: _price(item["price"]) for item_id, item in held["items"].items()}
    except ShopError as error:
        if error.is_refusal:
            release(order_id=order_id, lines=lines)
        raise
    return prices


def _price(told: Any) -> int | None:
    return None if told is None else int(told)


def release(*, order_id: uuid.UUID, lines: Lines) -> None:
    _all(order_id, "release", lines)


def commit(*, order_id: uuid.UUID, lines: Lines, customer_id: str | None) -> None:
    """What is held is sold, to that customer; a `ShopError` of 409 `hold_gone` when it is held no longer."""
    _check_types(lines)
    _all(order_id, "commit", lines, **({"customer_id": customer_id} if customer_id else {}))


def restock(*, order_id: uuid.UUID, lines: Lines, key: str) -> None:
    """What was sold comes back, once for each key, and no more of it is sold."""
    _all(order_id, "restock", lines, key=key)


def tell_buyer(*, order_id: uuid.UUID, lines: Lines, customer_id: str | None) -> None:
    """What the order was sold is that customer's now, or nobody's: all of it was refunded."""
    _all(order_id, "buyer", lines, customer_id=customer_id)


def _all(order_id: uuid.UUID, step: str, lines: Lines, **more: str | None) -> None:
    for _ in _each(order_id, step, lines, **more):
        pass


def _each(order_id: uuid.UUID, step: str, lines: Lines, **more: str | None) -> Iterator[tuple[str, Any]]:
    """Each type's service, in the order of their names, and what it answers: so two orders can't refuse each other."""
    path, until = f"/internal/reservations/{order_id}/{step}/", time.monotonic() + SECONDS
    for service, ids in topology.of_items(lines).items():
        body = {"lines": {item_id: lines[item_id] for item_id in ids}, **more}
        left = max(until - time.monotonic(), LEAST)
        yield service.name, http.call("POST", service.name, path, json=body, read_seconds=min(left, http.READ_SECONDS))


def _check_types(lines: Lines) -> None:
    for item_id in sorted(set(lines).difference(*topology.of_items(lines).values())):
        message = "There is no such item."
        raise Conflict(message, code="unknown_item", details={item_id: [message]})
