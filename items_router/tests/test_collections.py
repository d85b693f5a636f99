"""Collections over HTTP."""

from typing import Any

import pytest
from django.test import Client

from items_router.tests import shop

pytestmark = pytest.mark.usefixtures("store")
BODY = {"id": "winter-sale", "title": "Winter sale", "description": "Warm and cheap"}
CUSTOMER = {"X-User-ID": "1", "X-Customer-Type": "guest"}


@pytest.fixture
def made(client: Client) -> dict[str, Any]:
    answer = client.post("/api/collections/", BODY, "application/json")
    assert answer.status_code == 201
    return answer.json()  # type: ignore[no-any-return]


def test_a_collection_is_read_back_with_the_number_of_its_items(client: Client, made: dict[str, Any]) -> None:
    for item_id in ("book_1", "mobile_1", "mobile_2"):
        shop.make(item_id, collections=["winter-sale"])
    shop.make("book_2", collections=["summer"])
    shop.feed_all()
    assert client.get("/api/collections/winter-sale/").json() == {**made, "item_count": 3}
    assert client.get("/api/collections/").json()["results"] == [{**made, "item_count": 3}]


def test_an_id_is_taken_once(client: Client, made: dict[str, Any]) -> None:
    answer = client.post("/api/collections/", BODY, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize("slug", ["Winter", "a b", "-a", "a--b", "", "x" * 61])
def test_an_id_is_a_slug(client: Client, slug: str) -> None:
    answer = client.post("/api/collections/", {**BODY, "id": slug}, "application/json")
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["id"])


def test_collections_are_listed_by_title(client: Client, made: dict[str, Any]) -> None:
    client.post("/api/collections/", {"id": "a", "title": "Autumn"}, "application/json")
    page = client.get("/api/collections/?page_size=1").json()
    assert (page["count"], page["results"][0]["id"]) == (2, "a")
    assert client.get(page["next"]).json()["results"] == [{**made, "item_count": 0}]


def test_a_change_carries_a_version_and_never_the_id(client: Client, made: dict[str, Any]) -> None:
    path = "/api/collections/winter-sale/"
    change = {"title": "Summer sale", "id": "other"}
    changed = client.patch(path, change, "application/json", headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["id"], changed["ETag"]) == (200, "winter-sale", '"2"')
    lost = client.put(path, {"title": "Lost"}, "application/json", headers={"If-Match": '"1"'})
    assert lost.status_code == 412


def test_its_etag_names_the_number_of_its_items_too_and_is_good_for_a_change(
    client: Client, made: dict[str, Any]
) -> None:
    path = "/api/collections/winter-sale/"
    empty = client.get(path)["ETag"]
    shop.make("book_1", collections=["winter-sale"])
    shop.feed_all()
    filled = client.get(path)["ETag"]
    assert (empty, filled) == ('"1-0"', '"1-1"')
    assert client.patch(path, {"title": "Sale"}, "application/json", headers={"If-Match": filled}).status_code == 200


def test_only_the_version_that_is_asked_for_is_deleted(client: Client, made: dict[str, Any]) -> None:
    path = "/api/collections/winter-sale/"
    assert client.delete(path, headers={"If-Match": '"2"'}).status_code == 412
    assert client.delete(path, headers={"If-Match": '"1"'}).status_code == 204


def test_a_deleted_collection_is_gone(client: Client, made: dict[str, Any]) -> None:
    assert client.delete("/api/collections/winter-sale/").status_code == 204
    for method in ("get", "delete"):
        assert getattr(client, method)("/api/collections/winter-sale/").status_code == 404
    assert client.patch("/api/collections/winter-sale/", {"title": "x"}, "application/json").status_code == 404


def test_customers_only_read(client: Client, made: dict[str, Any]) -> None:
    assert client.get("/api/collections/", headers=CUSTOMER).status_code == 200
    assert client.post("/api/collections/", BODY, "application/json", headers=CUSTOMER).status_code == 403
    assert client.delete("/api/collections/winter-sale/", headers=CUSTOMER).status_code == 403
