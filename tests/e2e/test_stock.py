"""An order's stock at the item services themselves, asked for as the order service does."""

import uuid
from typing import Any

import pytest

from order_service import stock
from shopkit.errors import ShopError
from tests.fleet import Fleet
from tests.people import service_headers


@pytest.fixture
def fleet(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The fleet, in which `stock` asks as the order service."""

    def call(method: str, service: str, path: str, *, json: object, read_seconds: float) -> Any:
        headers = service_headers(fleet, service, by="order_service")
        answer = fleet.call(method, path, at=service, json=json, headers=headers)
        if answer.status_code == 200:
            return answer.json()
        raise ShopError(status=answer.status_code, **{name: answer.json()[name] for name in ("code", "details")})

    monkeypatch.setattr(stock.http, "call", call)
    return fleet


def make(fleet: Fleet, item_type: str, stock: int) -> str:
    body: dict[str, Any] = {"type": item_type, "name": "Scarce", "price": "5.00", "stock": stock}
    body |= {"author": "A"} if item_type == "book" else {"size": "M", "color": "red"}
    answer = fleet.call("POST", "/api/items/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def free(fleet: Fleet, item: str) -> int:
    return int(fleet.get(f"/api/items/{item}/", at="items_router").json()["stock"])


def test_all_types_are_held_or_none(fleet: Fleet) -> None:
    book, shirt, order = make(fleet, "book", 3), make(fleet, "clothes", 1), uuid.uuid4()
    with pytest.raises(ShopError) as refused:
        stock.reserve(order_id=uuid.uuid4(), lines={book: 2, shirt: 2})
    assert (refused.value.status, refused.value.code) == (409, "out_of_stock")
    assert list(refused.value.details) == [shirt]
    assert (free(fleet, book), free(fleet, shirt)) == (3, 1)
    assert stock.reserve(order_id=order, lines={book: 2, shirt: 1}) == {book: 500, shirt: 500}
    assert (free(fleet, book), free(fleet, shirt)) == (1, 0)
    stock.release(order_id=order, lines={book: 2, shirt: 1})
    assert (free(fleet, book), free(fleet, shirt)) == (3, 1)


def test_what_is_sold_is_gone(fleet: Fleet) -> None:
    book, order = make(fleet, "book", 3), uuid.uuid4()
    stock.reserve(order_id=order, lines={book: 2})
    stock.commit(order_id=order, lines={book: 2}, customer_id=None)
    stock.release(order_id=order, lines={book: 2})
    assert free(fleet, book) == 1
