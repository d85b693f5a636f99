"""An order's stock over several types: all of it is held or none, as far as anybody knows."""

import json
import re
import uuid
from typing import Any

import pytest
import requests
import responses

from shopkit import topology
from shopkit.auth import Identity
from shopkit.testing import Caller

LINES = {"book_1": 1, "laptop_1": 1}
HELD = (200, {}, json.dumps({"items": {"book_1": {"price": 1}}}))


def refusal(status: int, code: str) -> tuple[int, dict[str, str], str]:
    return status, {}, json.dumps({"error": "No.", "code": code, "details": {}, "request_id": ""})


def reserve() -> Any:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    return client.post(f"/internal/reservations/{uuid.uuid4()}/reserve/", {"lines": LINES})


def asked(peers: responses.RequestsMock, laptops: Any) -> list[str]:
    """What was asked of books, which hold theirs, when laptops answer so."""
    for service, answer in (("book_service", HELD), ("laptop_service", laptops)):
        url = re.compile(re.escape(topology.service(service).url) + "/internal/reservations/.*")
        peers.add_callback("POST", url, callback=lambda _request, answer=answer: answer)
    reserve()
    books = topology.service("book_service").url
    return [str(call.request.url).split("/")[-2] for call in peers.calls if str(call.request.url).startswith(books)]


def test_where_one_type_is_refused_the_others_are_released(peers: responses.RequestsMock) -> None:
    assert asked(peers, refusal(409, "out_of_stock")) == ["reserve", "release"]


@pytest.mark.parametrize(
    "laptops",
    [refusal(503, "store_down"), refusal(401, "not_authenticated"), requests.ConnectionError(), requests.ReadTimeout()],
    ids=["down", "not let in", "gone", "silent"],
)
def test_what_is_held_stays_held_while_another_types_service_can_not_say(
    peers: responses.RequestsMock, laptops: Any
) -> None:
    """An order that waits for its payment reserves again and again; it must not lose its goods by that."""
    assert asked(peers, laptops) == ["reserve"]
