"""What every item service must do: a service's tests subclass `ItemServiceTests` with an example of its own."""

from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import call_command
from django.test import Client

from shopkit.auth import Identity
from shopkit.items.opinion_testing import CUSTOMER, OpinionTests
from shopkit.testing import Caller, at_once

ERROR_FORM = {"error", "code", "details", "request_id"}


@pytest.mark.usefixtures("store")
class ItemServiceTests(OpinionTests):
    """`path` is the service's list; `example`, a valid body; `found_by`, `not_found_by`: queries on its own fields."""

    path: ClassVar[str]
    item_type: ClassVar[str]
    example: ClassVar[dict[str, Any]]
    found_by: ClassVar[list[str]]
    not_found_by: ClassVar[list[str]]
    invalid: ClassVar[list[dict[str, Any]]]

    def test_what_is_made_is_read_back(self, client: Client) -> None:
        item = self.make(client)
        assert item["id"].startswith(f"{self.item_type}_")
        assert (item["type"], item["version"], item["rating"]) == (self.item_type, 1, {"average": 0.0, "count": 0})
        assert {name: item[name] for name in self.example} == self.example
        assert client.get(self.one(item)).json() == item

    @pytest.mark.parametrize("form", ["csv", "jsonl"])
    def test_it_goes_out_to_a_file_and_in_again(self, client: Client, tmp_path: Path, form: str) -> None:
        from shopkit.items.changes import items

        item, file = self.make(client, stock=3, tags=["a", "b"]), str(tmp_path / f"all.{form}")
        call_command("export_items", file, stderr=StringIO())
        items().delete_many({})
        call_command("import_items", file, stdout=StringIO())
        again = client.get(self.one(item)).json()
        times = {"created_at": again["created_at"], "updated_at": again["updated_at"]}
        assert again == {**item, **times}

    def test_carts_get_the_facts_of_many_in_one_call(self, client: Client) -> None:
        item, unpriced = self.make(client, stock=3), self.make(client, price=None)
        ids = {"ids": [item["id"], unpriced["id"], f"{self.item_type}_nothing"]}
        assert client.post("/internal/facts/", ids, "application/json").status_code == 403
        carts = Caller(HTTP_HOST="localhost")
        carts.force_authenticate(user=Identity(service="cart_service"))  # type: ignore[arg-type]
        facts = carts.post("/internal/facts/", ids).json()["items"]
        assert facts.keys() == {item["id"], unpriced["id"]}
        price = int(Decimal(item["price"]) * 100)
        known = {"name": item["name"], "currency": "USD", "weight_g": self.example.get("weight_g")}
        assert facts[item["id"]] == {"type": self.item_type, "price": price, "stock": 3, **known}
        assert facts[unpriced["id"]]["price"] is None
        assert carts.post("/internal/facts/", {"ids": ["a/b"]}).status_code == 400

    def test_the_routers_paths_lead_to_the_same_item(self, client: Client) -> None:
        item = self.make(client)
        for path in (
            f"/api/items/{item['id']}/",
            f"/api/v1/products/{item['id']}",
            self.one(item).replace("/api/", "/api/v1/"),
        ):
            assert client.get(path).json() == item

    def test_its_own_filters_find_it(self, client: Client) -> None:
        item = self.make(client)
        for query in self.found_by:
            assert [each["id"] for each in client.get(f"{self.path}?{query}").json()["results"]] == [item["id"]], query
        for query in self.not_found_by:
            assert client.get(f"{self.path}?{query}").json()["count"] == 0, query

    def test_what_is_invalid_is_refused_by_field(self, client: Client) -> None:
        for wrong in [
            *self.invalid,
            {"price": "-1"},
            {"price": "1.999"},
            {"stock": -1},
            {"name": ""},
            {"type": "house"},
        ]:
            answer = client.post(self.path, {**self.example, **wrong}, "application/json")
            assert (answer.status_code, set(answer.json())) == (400, ERROR_FORM), wrong
            assert set(answer.json()["details"]) == set(wrong), wrong

    def test_without_a_price_it_is_not_for_sale_yet(self, client: Client) -> None:
        body = {name: value for name, value in self.example.items() if name != "price"}
        assert client.post(self.path, body, "application/json").json()["price"] is None

    def test_common_filters(self, client: Client) -> None:
        cheap = self.make(client, name="Émile Cheap", price="5.00", stock=0, tags=["sale"], collections=["winter"])
        dear = self.make(client, name="Dear One", price="50.00", stock=3, brand="Acme")
        for query, expected in [
            ("max_price=5", [cheap]),
            ("min_price=5.01", [dear]),
            ("in_stock=true", [dear]),
            ("in_stock=false", [cheap]),
            ("tag=sale", [cheap]),
            ("collection=winter", [cheap]),
            ("brand=ACME", [dear]),
            ("search=emile che", [cheap]),
            ("search=CHE emil", [cheap]),
            ("search=heap", []),
            ("search=acme", [dear]),
        ]:
            found = client.get(f"{self.path}?{query}").json()["results"]
            assert [each["id"] for each in found] == [each["id"] for each in expected], query

    def test_order_and_pages(self, client: Client) -> None:
        prices = ["3.00", "1.00", None, "2.00"]
        ids = {price: self.make(client, name=str(price), price=price)["id"] for price in prices}
        for ordering, expected in [
            ("price", [None, "1.00", "2.00", "3.00"]),
            ("-price", ["3.00", "2.00", "1.00", None]),
        ]:
            seen: list[str] = []
            url = f"{self.path}?ordering={ordering}&page_size=3"
            while url:
                page = client.get(url).json()
                seen += [each["id"] for each in page["results"]]
                url = page["next"]
            assert seen == [ids[price] for price in expected]
            assert page["count"] == 4

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("page=-1", 400),
            ("page=0", 400),
            ("page=2", 404),
            ("page_size=1000000000", 400),
            ("page_size=0", 400),
            ("ordering=secret", 400),
            ("min_price=cheap", 400),
            ("min_price=NaN", 400),
            ("max_price=1e999", 400),
            ("in_stock=perhaps", 400),
            ("type=house", 400),
        ],
    )
    def test_a_bad_query_is_refused(self, client: Client, query: str, code: int) -> None:
        answer = client.get(f"{self.path}?{query}")
        assert (answer.status_code, set(answer.json())) == (code, ERROR_FORM)

    @pytest.mark.parametrize(
        ("body", "content_type", "code"),
        [(b"{", "application/json", 400), (b"[]", "application/json", 400), (b"a=1", "text/plain", 415)],
    )
    def test_a_bad_body_is_refused(self, client: Client, body: bytes, content_type: str, code: int) -> None:
        answer = client.post(self.path, body, content_type)
        assert (answer.status_code, set(answer.json())) == (code, ERROR_FORM)

    def test_changes_carry_a_version(self, client: Client) -> None:
        item = self.make(client)
        answer = client.patch(
            self.one(item), {"description": "Better"}, "application/json", headers={"If-Match": '"1"'}
        )
        assert (answer.status_code, answer["ETag"], answer.json()["description"]) == (200, '"2"', "Better")
        lost = client.patch(self.one(item), {"description": "Worse"}, "application/json", headers={"If-Match": '"1"'})
        assert (lost.status_code, lost.json()["code"]) == (412, "precondition_failed")
        assert client.get(self.one(item)).json()["description"] == "Better"

    def test_who_has_the_present_version_is_told_so_without_it(self, client: Client) -> None:
        item = self.make(client)
        known = {"If-None-Match": client.get(self.one(item))["ETag"]}
        same = client.get(self.one(item), headers=known)
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", '"1"')
        client.patch(self.one(item), {"description": "Better"}, "application/json")
        assert client.get(self.one(item), headers=known).status_code == 200

    def test_of_a_search_the_best_match_comes_first(self, client: Client) -> None:
        told = self.make(client, name="Aardvark", description="beside a quokka")["id"]
        begun = self.make(client, name="Quokkas and more", description="")["id"]
        whole = self.make(client, name="Zoo with a quokka", description="")["id"]
        for page, found in ((1, [whole, begun]), (2, [told])):
            answer = client.get(f"{self.path}?search=quokka&page_size=2&page={page}").json()
            assert [each["id"] for each in answer["results"]] == found
        by_name = client.get(f"{self.path}?search=quokka&ordering=name").json()["results"]
        assert [each["id"] for each in by_name] == [told, begun, whole]

    def test_what_only_the_service_may_set_stays(self, client: Client) -> None:
        item = self.make(client, stock=5)
        change = {
            "stock": 99,
            "id": "x_1",
            "version": 9,
            "rating": {"average": 5, "count": 9},
            "likes": 9,
            "images": ["http://elsewhere.example/a.png"],
            "created_at": "2000-01-01",
        }
        changed = client.put(self.one(item), {**self.example, **change}, "application/json").json()
        assert (changed["stock"], changed["id"], changed["version"]) == (5, item["id"], 2)
        assert (changed["rating"], changed["created_at"]) == (item["rating"], item["created_at"])
        assert (changed["likes"], changed["images"]) == (0, [])

    def test_search_follows_a_change_of_name(self, client: Client) -> None:
        item = self.make(client)
        client.patch(self.one(item), {"name": "Zebra"}, "application/json")
        assert client.get(f"{self.path}?search=zebra").json()["count"] == 1

    def test_stock_moves_by_changes_and_never_below_nothing(self, client: Client) -> None:
        item = self.make(client, stock=2)
        path = f"{self.one(item)}stock/"
        assert client.post(path, {"change": 3, "reason": "delivery"}, "application/json").json()["stock"] == 5
        too_much = client.post(path, {"change": -6, "reason": "theft"}, "application/json")
        assert (too_much.status_code, too_much.json()["code"]) == (409, "out_of_stock")
        assert client.post(path, {"change": 0, "reason": "nothing"}, "application/json").status_code == 400
        assert client.get(self.one(item)).json()["stock"] == 5

    def test_parallel_changes_of_stock_add_up(self, client: Client) -> None:
        item = self.make(client, stock=10)

        def take(_number: int) -> int:
            change = {"change": -1, "reason": "sold"}
            return Client().post(f"{self.one(item)}stock/", change, "application/json").status_code

        codes = at_once(take, 25)
        assert (codes.count(200), codes.count(409)) == (10, 15)
        assert client.get(self.one(item)).json()["stock"] == 0

    def test_parallel_changes_of_fields_lose_nothing(self, client: Client) -> None:
        item = self.make(client)

        def change(number: int) -> int:
            body = {"description": f"n{number}"} if number % 2 else {"brand": f"b{number}"}
            return Client().patch(self.one(item), body, "application/json").status_code

        assert set(at_once(change, 16)) == {200}
        assert client.get(self.one(item)).json()["version"] == 17

    def test_what_is_deleted_is_gone(self, client: Client) -> None:
        item = self.make(client)
        assert client.delete(self.one(item), headers={"If-Match": '"9"'}).status_code == 412
        assert client.delete(self.one(item)).status_code == 204
        for method in ("get", "delete"):
            assert getattr(client, method)(self.one(item)).status_code == 404
        assert client.patch(self.one(item), {"name": "x"}, "application/json").status_code == 404

    def test_what_an_order_holds_is_not_deleted(self, client: Client) -> None:
        from shopkit.items.changes import items

        item = self.make(client, stock=2)
        items().update_one({"_id": item["id"]}, {"$set": {"holds.order_1": {"n": 1}}})
        assert client.delete(self.one(item)).json()["code"] == "item_in_use"

    def test_customers_read_and_staff_write(self, client: Client) -> None:
        item = self.make(client)
        assert client.get(self.one(item), headers=CUSTOMER).status_code == 200
        assert client.get(self.path, headers=CUSTOMER).status_code == 200
        assert client.post(self.path, self.example, "application/json", headers=CUSTOMER).status_code == 403
        for method in ("put", "patch", "delete"):
            answer = getattr(client, method)(self.one(item), self.example, "application/json", headers=CUSTOMER)
            assert answer.status_code == 403, method
        taken = client.post(
            f"{self.one(item)}stock/", {"change": 1, "reason": "x"}, "application/json", headers=CUSTOMER
        )
        assert taken.status_code == 403

    @pytest.mark.parametrize("item_id", ["nothing", "house_1", "%F0%9F%93%9A", "a" * 500])
    def test_an_id_that_is_none_is_not_found(self, client: Client, item_id: str) -> None:
        answer = client.get(f"{self.path}{item_id}/")
        assert (answer.status_code, set(answer.json())) == (404, ERROR_FORM)

    def test_a_store_that_is_down_is_told_as_such(self, client: Client, settings: Any) -> None:
        from shopkit import mongo

        mongo.close()
        here, settings.MONGO_URL = settings.MONGO_URL, "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50"
        answer, ready = client.get(self.path), client.get("/health/ready")
        mongo.close()
        settings.MONGO_URL = here
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "store_down", "1")
        assert (ready.status_code, ready.json()["dependencies"]["mongodb"]) == (503, "down")

    def test_the_schema_names_each_filter(self, client: Client) -> None:
        schema = client.get("/api/schema/").json()
        named = {parameter["name"] for parameter in schema["paths"][self.path]["get"]["parameters"]}
        asked = {query.partition("=")[0] for query in self.found_by}
        assert asked | {"page", "page_size", "ordering", "search", "min_price", "in_stock"} <= named
