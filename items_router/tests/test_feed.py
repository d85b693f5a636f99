"""What item services tell: twice, late, in any order, or not at all, the catalogue ends with what is."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from items_router.catalogue import applying, reading
from items_router.catalogue.change import Change
from items_router.tests import shop
from items_router.tests.test_lists import MOSTLY, empty
from shopkit.auth import Identity
from shopkit.items import changes, feed, services, stock
from shopkit.items.tombstones import tombstones
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.usefixtures("store")
WHOLE = {"id": "book_b", "type": "book", "version": 1, "created_at": 1, "updated_at": 1, "texts": ["", "", ""]}
STEPS = st.lists(st.sampled_from(["make", "rename", "sell", "delete"]), min_size=1, max_size=12)


def history(steps: list[str]) -> list[dict[str, Any]]:
    """What is told of one item that lives through these: one state after the other. It may be made anew."""
    changes.items().delete_many({})
    tombstones().delete_many({})
    said: list[dict[str, Any]] = []
    clock = iter(range(1, 100))
    for number, step in enumerate(steps):
        there = changes.items().find_one({"_id": "book_1"})
        if there is None:
            made = shop.make("book_1", name=f"n{number}", tags=[f"t{number}"])
            at = made["created_at"].replace(year=2000 + next(clock))  # two in one ms would be one
            changes.items().update_one({"_id": "book_1"}, {"$set": {"created_at": at}})
        elif step == "delete":
            services.delete(item_id="book_1", version=None)
        elif step == "sell":
            stock.adjust(item_id="book_1", change=1, reason="x")
        else:
            values = {"name": f"n{number}", "tags": [f"t{number}"]}
            services.update(kind=shop.KINDS["book"], item_id="book_1", values=values, version=None)
        said += _present()
    return said


def _present() -> list[dict[str, Any]]:
    told = feed.of(kind=shop.KINDS["book"], ids=["book_1"])["changes"]
    return [json.loads(json.dumps(max(told, key=lambda each: (each["created_at"], each["version"]))))]


def shown(client: Client) -> dict[str, Any]:
    """All that the catalogue says."""
    lists = client.get("/api/items/").json()["results"]
    found = {word: client.get(f"/api/items/?search={word}").json()["count"] for word in map("n{}".format, range(12))}
    facets = client.get("/api/items/facets/").json()
    return {"lists": lists, "found": found, "facets": facets, "gone": reading.is_gone(item_id="book_1")}


@given(steps=STEPS, data=st.data())
@MOSTLY
def test_in_any_order_and_number_the_latest_state_wins(
    client: Client, book_service: Caller, steps: list[str], data: st.DataObject
) -> None:
    said = history(steps)
    empty()
    book_service.post("/internal/changes/", {"changes": [said[-1]]})
    expected = shown(client)
    assert [each["id"] for each in expected["lists"]] == (["book_1"] if said[-1]["item"] else [])
    delayed = data.draw(st.lists(st.sampled_from(said), max_size=20))
    at = data.draw(st.integers(0, len(delayed)))
    empty()
    for change in [*delayed[:at], said[-1], *delayed[at:]]:
        assert book_service.post("/internal/changes/", {"changes": [change]}).status_code == 200
    assert {**shown(client), "gone": None} == {**expected, "gone": None}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": "book_1"},
        {"id": "book_b", "type": "book", "version": "x"},
        {**WHOLE, "id": "laptop_b", "item": None},
        {"item": {}, "texts": []},
        {**WHOLE, "item": {"name": "x"}},
        {**WHOLE, "texts": ["a"]},
    ],
)
def test_what_is_no_change_is_refused(book_service: Caller, change: dict[str, Any]) -> None:
    assert book_service.post("/internal/changes/", {"changes": [change]}).status_code == 400


def test_only_who_is_in_front_of_us_tells_us(client: Client, book_service: Caller) -> None:
    assert client.post("/internal/changes/", {"changes": []}, "application/json").status_code == 403
    book_service.force_authenticate(user=Identity(service="cart_service"))  # type: ignore[arg-type]
    assert book_service.post("/internal/changes/", {"changes": []}).status_code == 403


def test_all_who_tell_at_once_leave_the_latest_state(client: Client) -> None:
    said = [Change.read(each) for each in history(["make", "rename", "sell", "delete", "make", "rename"])]
    others = [Change.read(each) for each in shop.told([shop.make(f"mobile_{number}") for number in range(20)])]
    at_once(lambda number: applying.apply([*others, said[number % len(said)]][number % 3 :]), 24)
    listed = client.get("/api/items/?page_size=100").json()["results"]
    assert sorted(each["id"] for each in listed) == sorted(["book_1", *(each.id for each in others)])
    assert next(each["name"] for each in listed if each["id"] == "book_1") == "n5"


def test_an_item_whose_service_is_away_is_shown_as_it_last_was(client: Client) -> None:
    made = shop.make("mobile_1", name="Phone")
    shop.feed_all()
    shop.make("mobile_2")
    services.delete(item_id="mobile_2", version=None)
    applying.apply(map(Change.read, shop.told([{"_id": "mobile_2"}])))
    for path in ("/api/items/", "/api/v1/products/"):
        answer = client.get(f"{path}{made['_id']}/")
        assert (answer.status_code, answer["X-Source"]) == (200, "snapshot")
        assert (answer.json()["name"], answer.json()["source"]) == ("Phone", "snapshot")
        assert client.get(f"{path}mobile_2/").status_code == 404
        unknown = client.get(f"{path}mobile_3/")
        assert (unknown.status_code, unknown["Retry-After"]) == (503, "1")
    assert client.get("/api/items/house_1/").status_code == 404
