"""What a peer's answer comes to."""

from collections.abc import Callable

import pytest
import requests
import responses

from shopkit import http, topology
from shopkit.errors import BadGateway, GatewayTimeout, Moved, NotFound, ShopError, Unavailable

BOOKS = topology.service("book_service")
URL = f"{BOOKS.url}/api/books/book_1/"


def ask() -> object:
    return http.get(BOOKS.name, "/api/books/book_1/")


def find() -> object:
    return http.find(BOOKS.name, "/api/books/book_1/")


@responses.activate
def test_an_answer_is_its_json() -> None:
    responses.get(URL, json={"id": "book_1"})
    assert ask() == find() == {"id": "book_1"}


@responses.activate
def test_a_refusal_keeps_its_status_and_code() -> None:
    responses.get(URL, json={"error": "No.", "code": "taken", "details": {"id": ["taken"]}}, status=409)
    with pytest.raises(ShopError) as refused:
        ask()
    error = refused.value
    assert (error.status, error.code, error.message, error.details) == (409, "taken", "No.", {"id": ["taken"]})


@responses.activate
def test_a_refusal_keeps_when_to_try_again() -> None:
    responses.get(URL, json={"error": "No.", "code": "throttled"}, status=429, headers={"Retry-After": "7"})
    with pytest.raises(ShopError) as refused:
        ask()
    assert refused.value.headers["Retry-After"] == "7"


@responses.activate
def test_who_has_moved_is_elsewhere() -> None:
    told = {"error": "Moved.", "code": "moved", "details": {"location": ["/internal/vip-customer/1/orders/"]}}
    responses.get(URL, json=told, status=307)
    with pytest.raises(Moved) as moved:
        ask()
    assert moved.value.headers["Location"] == "/internal/vip-customer/1/orders/"


@responses.activate
def test_what_is_not_there_is_found_to_be_none() -> None:
    responses.get(URL, json={"error": "No.", "code": "not_found"}, status=404)
    assert find() is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"body": requests.ConnectionError()}, Unavailable),
        ({"body": requests.Timeout()}, GatewayTimeout),
        ({"body": requests.exceptions.ChunkedEncodingError()}, BadGateway),
        ({"body": "<html>"}, BadGateway),
        ({"json": {"code": "x"}, "status": 500}, Unavailable),
        ({"json": {"no": "error of ours"}, "status": 404}, BadGateway),
        ({"json": {"code": "x"}, "status": 307, "headers": {"Location": "/"}}, BadGateway),
    ],
)
@pytest.mark.parametrize("way", [ask, find])
@responses.activate
def test_no_usable_answer_is_an_error_of_ours(
    way: Callable[[], object], answer: dict[str, object], error: type[ShopError]
) -> None:
    responses.get(URL, **answer)
    with pytest.raises(error, match="book_service"):
        way()


@responses.activate
def test_nothing_is_no_thing_to_find() -> None:
    responses.get(URL, body="null")
    with pytest.raises(BadGateway):
        find()


@pytest.mark.parametrize(
    "take_apart", [lambda: {}["id"], lambda: [][0], lambda: int([]), lambda: int("many"), lambda: 1 / 0]
)
def test_an_answer_of_another_shape_is_a_bad_gateway(take_apart: Callable[[], object]) -> None:
    with pytest.raises(BadGateway, match="book_service gave no usable answer"), http.understanding("book_service"):
        take_apart()


def test_what_goes_wrong_otherwise_stays_as_it_is() -> None:
    with pytest.raises(NotFound), http.understanding("book_service"):
        raise NotFound


def test_each_service_is_asked_once() -> None:
    asked = http.of_each(topology.by_item_type().values(), lambda service: service.port)
    assert asked == {service.name: service.port for service in topology.by_item_type().values()}
