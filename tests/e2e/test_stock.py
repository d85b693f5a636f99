"""An order's stock over all item types, through the items router, as the order service asks for it."""

import uuid
from typing import Any

import requests

from tests.fleet import Fleet
from tests.people import service_headers


def ask(fleet: Fleet, step: str, order: str, lines: dict[str, int]) -> requests.Response:
    headers = service_headers(fleet, "items_router", by="order_service")
    path = f"/internal/reservations/{order}/{step}/"
    return fleet.call("POST", path, at="items_router", json={"lines": lines}, headers=headers)


def make(fleet: Fleet, item_type: str, stock: int) -> str:
    body: dict[str, Any] = {"type": item_type, "name": "Scarce", "price": "5.00", "stock": stock}
    body |= {"author": "A"} if item_type == "book" else {"size": "M", "color": "red"}
    answer = fleet.call("POST", "/api/items/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def free(fleet: Fleet, item: str) -> int:
    return int(fleet.get(f"/api/items/{item}/", at="items_router").json()["stock"])


def test_all_types_are_held_or_none(fleet: Fleet) -> None:
    book, shirt = make(fleet, "book", 3), make(fleet, "clothes", 1)
    refused = ask(fleet, "reserve", str(uuid.uuid4()), {book: 2, shirt: 2})
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_stock")
    assert list(refused.json()["details"]) == [shirt]
    assert (free(fleet, book), free(fleet, shirt)) == (3, 1)
    order = str(uuid.uuid4())
    held = ask(fleet, "reserve", order, {book: 2, shirt: 1})
    assert held.json() == {"items": {book: {"price": 500}, shirt: {"price": 500}}}
    assert (free(fleet, book), free(fleet, shirt)) == (1, 0)
    assert ask(fleet, "release", order, {book: 2, shirt: 1}).status_code == 200
    assert (free(fleet, book), free(fleet, shirt)) == (3, 1)


def test_what_is_sold_is_gone(fleet: Fleet) -> None:
    book, order = make(fleet, "book", 3), str(uuid.uuid4())
    for step in ("reserve", "commit", "release"):
        assert ask(fleet, step, order, {book: 2}).status_code == 200
    assert free(fleet, book) == 1


def test_an_id_of_no_type_is_no_item(fleet: Fleet) -> None:
    assert ask(fleet, "reserve", str(uuid.uuid4()), {"toy_1": 1}).json()["code"] == "unknown_item"
