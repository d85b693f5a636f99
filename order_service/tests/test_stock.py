"""An order's stock over several types: all of it is held or none, as far as anybody knows."""

import json
import re
import uuid
from typing import Any

import pytest
import requests
import responses

from order_service import stock
from shopkit import topology
from shopkit.errors import ShopError

LINES = {"laptop_1": 1, "book_1": 2, "book_2": 1}
ORDER = uuid.uuid4()


def held(*ids: str) -> tuple[int, dict[str, str], str]:
    return 200, {}, json.dumps({"items": {each: {"price": 5} for each in ids}})


def refusal(status: int, code: str) -> tuple[int, dict[str, str], str]:
    return status, {}, json.dumps({"error": "No.", "code": code, "details": {}, "request_id": ""})


def answering(peers: responses.RequestsMock, laptops: Any) -> None:
    """Books hold theirs; laptops answer so, or as the callable says."""
    for service, answer in (("book_service", held("book_1", "book_2")), ("laptop_service", laptops)):
        url = re.compile(re.escape(topology.service(service).url) + "/internal/reservations/.*")
        answers = answer if callable(answer) else lambda _request, answer=answer: answer
        peers.add_callback("POST", url, callback=answers)


def asked(peers: responses.RequestsMock) -> list[tuple[str, str, dict[str, int]]]:
    """Who was asked for what, of how many of what, in turn."""
    names = {service.url: service.name for service in topology.SERVICES.values()}
    found = []
    for call in peers.calls:
        url, lines = str(call.request.url), json.loads(call.request.body or "")["lines"]
        found.append((names[url.split("/internal")[0]], url.split("/")[-2], lines))
    return found


BOOKS, LAPTOPS = {"book_1": 2, "book_2": 1}, {"laptop_1": 1}


def test_each_service_is_asked_once_for_its_own(peers: responses.RequestsMock) -> None:
    answering(peers, held("laptop_1"))
    assert stock.reserve(order_id=ORDER, lines=LINES) == {"book_1": 5, "book_2": 5, "laptop_1": 5}
    stock.commit(order_id=ORDER, lines=LINES, customer_id="ada")
    assert asked(peers) == [
        (service, step, lines)
        for step in ("reserve", "commit")
        for service, lines in (("book_service", BOOKS), ("laptop_service", LAPTOPS))
    ]
    assert json.loads(peers.calls[-1].request.body or "")["customer_id"] == "ada"


def test_where_one_type_is_refused_the_others_are_released(peers: responses.RequestsMock) -> None:
    def laptops(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return refusal(409, "out_of_stock") if "reserve" in str(request.path_url).split("/") else held()

    answering(peers, laptops)
    with pytest.raises(ShopError) as refused:
        stock.reserve(order_id=ORDER, lines=LINES)
    assert (refused.value.status, refused.value.code) == (409, "out_of_stock")
    assert asked(peers)[-2:] == [("book_service", "release", BOOKS), ("laptop_service", "release", LAPTOPS)]


@pytest.mark.parametrize(
    "laptops",
    [refusal(503, "store_down"), refusal(401, "not_authenticated"), requests.ConnectionError(), requests.ReadTimeout()],
    ids=["down", "not let in", "gone", "silent"],
)
def test_what_is_held_stays_held_while_another_types_service_can_not_say(
    peers: responses.RequestsMock, laptops: Any
) -> None:
    """An order that waits for its payment reserves again and again; it must not lose its goods by that."""
    answering(peers, laptops)
    with pytest.raises(ShopError):
        stock.reserve(order_id=ORDER, lines=LINES)
    assert [(service, step) for service, step, _ in asked(peers) if service == "book_service"] == [
        ("book_service", "reserve")
    ]


def test_what_is_of_no_type_can_not_be_held_and_keeps_nothing_from_being_undone(peers: responses.RequestsMock) -> None:
    answering(peers, held("laptop_1"))
    with pytest.raises(ShopError) as refused:
        stock.reserve(order_id=ORDER, lines={**LINES, "toy_1": 1})
    assert (refused.value.status, refused.value.code) == (409, "unknown_item")
    assert "toy_1" in refused.value.details
    assert {step for _, step, _ in asked(peers)} <= {"release"}
    with pytest.raises(ShopError) as gone:
        stock.commit(order_id=ORDER, lines={**LINES, "toy_1": 1}, customer_id=None)
    assert gone.value.code == "unknown_item"
    stock.restock(order_id=ORDER, lines={**LINES, "toy_1": 1}, key="undo")
    assert asked(peers)[-2:] == [("book_service", "restock", BOOKS), ("laptop_service", "restock", LAPTOPS)]


def test_what_is_made_to_order_is_asked_of_nobody(peers: responses.RequestsMock) -> None:
    assert stock.reserve(order_id=ORDER, lines={}) == {}
    stock.release(order_id=ORDER, lines={})
    assert not peers.calls
