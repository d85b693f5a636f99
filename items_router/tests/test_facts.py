"""What carts show of items of all types: each service asked once, for its own; those that say nothing, left out."""

import json
from typing import Any

import pytest
import requests
import responses

from shopkit import topology
from shopkit.auth import Identity
from shopkit.testing import Caller

PATH = "/internal/facts/"


def facts_of(kind: str) -> str:
    return f"{topology.by_item_type()[kind].url}{PATH}"


@pytest.fixture
def carts() -> Caller:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="cart_service"))  # type: ignore[arg-type]
    return client


def ask(carts: Caller, *ids: str) -> Any:
    answer = carts.post(PATH, {"ids": list(ids)})
    assert answer.status_code == 200
    return answer.json()["items"]


def test_each_service_is_asked_once_for_its_own(carts: Caller, peers: responses.RequestsMock) -> None:
    peers.post(facts_of("book"), json={"items": {"book_1": {"name": "B"}, "book_2": {"name": "C"}}})
    peers.post(facts_of("mobile"), json={"items": {"mobile_1": {"name": "M"}}})
    found = ask(carts, "book_1", "mobile_1", "book_2", "book_1", "book_gone")
    assert {item_id: fact and fact["name"] for item_id, fact in found.items()} == {
        "book_1": "B",
        "book_2": "C",
        "book_gone": None,
        "mobile_1": "M",
    }
    asked = {call.request.url: json.loads(call.request.body)["ids"] for call in peers.calls}
    assert asked == {facts_of("book"): ["book_1", "book_2", "book_gone"], facts_of("mobile"): ["mobile_1"]}


@pytest.mark.parametrize("down", [{"body": requests.ConnectionError()}, {"body": requests.Timeout()}, {"json": {}}])
def test_of_a_service_that_says_nothing_nothing_is_said(
    carts: Caller, peers: responses.RequestsMock, down: dict[str, Any]
) -> None:
    peers.post(facts_of("book"), json={"items": {"book_1": {"name": "B"}}})
    peers.post(facts_of("mobile"), **down)
    assert ask(carts, "book_1", "mobile_1") == {"book_1": {"name": "B"}}


def test_of_a_type_that_there_is_not_there_is_no_item(carts: Caller, peers: responses.RequestsMock) -> None:
    assert ask(carts, "toy_1", "nothing") == {"toy_1": None, "nothing": None}
    assert ask(carts) == {}
    assert not peers.calls


def test_only_services_ask() -> None:
    for someone in (Caller(HTTP_HOST="localhost"), Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="ada")):
        assert someone.post(PATH, {"ids": []}).status_code == 403
