"""All types as one list, with the item services played by `responses`."""

import json
import random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from django.test import Client

from items_router.combined import merged
from shopkit import topology

TYPES = topology.by_item_type()


def item(kind: str, number: int, price: str | None, name: str = "n") -> dict[str, Any]:
    rating = {"average": 0.0, "count": 0}
    return {"id": f"{kind}_{number:04}", "type": kind, "name": name, "price": price, "rating": rating}


def in_order(items: list[dict[str, Any]], ordering: str) -> list[dict[str, Any]]:
    """All in one list, sorted: what the router's answer is held against, and how each service played here sorts."""
    field = ordering.removeprefix("-")

    def key(each: dict[str, Any]) -> tuple[bool, Any]:
        value = each[field]
        return (value is not None, float(value or 0) if field == "price" else value or "")

    return sorted(sorted(items, key=lambda each: str(each["id"])), key=key, reverse=ordering.startswith("-"))


class Services:
    """Plays all item services over given items: sorted by the one field asked for, paged, as the real ones do."""

    def __init__(self, items: list[dict[str, Any]], down: tuple[str, ...] = ()) -> None:
        for kind, service in TYPES.items():
            own = [each for each in items if each["type"] == kind]
            url = f"{service.url}/api/{service.paths[0]}/"
            body: Any = requests.ConnectionError() if kind in down else None
            if body:
                responses.get(url, body=body)
            else:
                responses.add_callback("GET", url, callback=lambda request, own=own: (200, {}, self.page(request, own)))

    @staticmethod
    def page(request: Any, own: list[dict[str, Any]]) -> str:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        page, size = int(query["page"]), int(query["page_size"])
        ordered = in_order(own, query.get("ordering", "name"))
        return json.dumps({"count": len(own), "results": ordered[(page - 1) * size : page * size]})


@responses.activate
@pytest.mark.parametrize("ordering", ["price", "-price", "name", "-name"])
def test_every_item_is_on_exactly_one_page_in_one_order(client: Client, ordering: str) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    prices = [None, "1.00", "2.50", "10.00", "9.99"]
    items = [
        item(kind, number, chance.choice(prices), chance.choice("abcÉz"))
        for kind in TYPES
        for number in range(chance.randrange(0, 60))
    ]
    Services(items)
    size = chance.choice([1, 7, 10, 100])
    seen: list[str] = []
    url: str | None = f"/api/items/?ordering={ordering}&page_size={size}"
    while url:
        page = client.get(url).json()
        assert page["count"] == len(items)
        seen += [each["id"] for each in page["results"]]
        url = page["next"]
    assert seen == [each["id"] for each in in_order(items, ordering)]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in items]


def test_prices_are_ordered_as_numbers_and_none_comes_first() -> None:
    books, mobiles = [item("book", 3, None), item("book", 1, "10.00")], [item("mobile", 2, "9.99")]
    assert ids(merged([books, mobiles], ["price"])) == ["book_0003", "mobile_0002", "book_0001"]
    assert ids(merged([books[::-1], mobiles], ["-price"])) == ["book_0001", "mobile_0002", "book_0003"]


def test_each_further_field_settles_the_ties_of_those_before() -> None:
    books = [item("book", 1, "1.00", "b"), item("book", 2, "1.00", "a")]
    assert ids(merged([books, [item("mobile", 3, "1.00", "aa")]], ["price", "-name"])) == [
        "book_0001",
        "mobile_0003",
        "book_0002",
    ]


def test_what_a_service_ordered_by_more_than_it_shows_keeps_its_order() -> None:
    second = "2026-01-02T03:04:05Z"
    books = [item("book", number, "1.00") | {"created_at": second} for number in (7, 3, 5)]
    mobiles = [item("mobile", 1, "1.00") | {"created_at": second}]
    for ordering in ("created_at", "-created_at"):
        whole = ids(merged([books, mobiles], [ordering]))
        assert whole == ["book_0007", "book_0003", "book_0005", "mobile_0001"]
        assert ids(merged([books[:2], mobiles[:2]], [ordering]))[:2] == whole[:2]


@responses.activate
def test_a_service_that_is_down_is_named_and_the_rest_still_answers(client: Client) -> None:
    Services([item("book", 1, "1.00"), item("laptop", 1, "2.00")], down=("mobile",))
    answer = client.get("/api/items/")
    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert answer.json()["sources"] == {"book": "live", "laptop": "live", "mobile": "unavailable", "clothes": "live"}


@responses.activate
def test_strict_asks_for_all_or_nothing(client: Client) -> None:
    Services([item("book", 1, "1.00")], down=("mobile",))
    answer = client.get("/api/items/?strict=true")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "mobile" in answer.json()["error"]


@responses.activate
def test_when_none_answers_the_list_is_unavailable(client: Client) -> None:
    Services([], down=tuple(TYPES))
    assert client.get("/api/items/").status_code == 503


@responses.activate
def test_what_a_service_refuses_is_refused(client: Client) -> None:
    for service in TYPES.values():
        error = {"error": "min_price: must be an amount.", "code": "invalid", "details": {"min_price": ["x"]}}
        responses.get(f"{service.url}/api/{service.paths[0]}/", json=error, status=400)
    answer = client.get("/api/items/?min_price=cheap")
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["min_price"])


@pytest.mark.parametrize(
    ("query", "code"),
    [("page=0", 400), ("page_size=101", 400), ("ordering=x", 400), ("page=1001", 400), ("page=999", 404)],
)
@responses.activate
def test_a_bad_page_or_order_is_refused(client: Client, query: str, code: int) -> None:
    Services([item("book", 1, "1.00")])
    assert client.get(f"/api/items/?{query}").status_code == code


@responses.activate
def test_only_the_common_filters_are_passed_on(client: Client) -> None:
    Services([])
    client.get("/api/items/?tag=sale&author=x&type=")
    asked = parse_qs(urlsplit(responses.calls[0].request.url or "").query)
    assert set(asked) == {"tag", "page", "page_size"}
