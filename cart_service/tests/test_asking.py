"""What is asked of item services: each once, for its own, and nobody for what is of no type."""

import json

import pytest
import responses

from cart_service import clients
from shopkit import topology

FACT = {"type": "book", "name": "B", "price": 999, "currency": "USD", "stock": 1, "weight_g": None}


def facts_of(kind: str) -> str:
    return f"{topology.by_item_type()[kind].url}/internal/facts/"


def test_each_service_is_asked_once_for_its_own(peers: responses.RequestsMock) -> None:
    peers.post(facts_of("book"), json={"items": {"book_1": FACT, "book_2": FACT}})
    peers.post(facts_of("mobile"), json={"items": {"mobile_1": FACT}})
    found = clients.items(ids=["book_1", "mobile_1", "book_2", "book_1", "book_gone"])
    assert {item_id: item and item.name for item_id, item in found.items()} == {
        "book_1": "B",
        "book_2": "B",
        "book_gone": None,
        "mobile_1": "B",
    }
    asked = {call.request.url: json.loads(call.request.body or "")["ids"] for call in peers.calls}
    assert asked == {facts_of("book"): ["book_1", "book_2", "book_gone"], facts_of("mobile"): ["mobile_1"]}


@pytest.mark.parametrize("ids", [["toy_1", "nothing"], []])
def test_of_a_type_that_there_is_not_there_is_no_item(peers: responses.RequestsMock, ids: list[str]) -> None:
    assert clients.items(ids=ids) == dict.fromkeys(ids)
    assert not peers.calls
