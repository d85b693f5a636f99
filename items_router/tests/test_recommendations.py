"""Recommendations over HTTP, from a catalogue that the test fills and a store of their own."""

import itertools
import os
import subprocess
import sys
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from items_router.catalogue import applying
from items_router.catalogue.change import Change
from items_router.recommending import rebuilding, seen, signals
from items_router.routing import pick
from shopkit.auth import Identity
from shopkit.config import ROOT
from shopkit.testing import Asked, Caller, caller, picked

pytestmark = pytest.mark.usefixtures("store")
PATH = "/api/items/recommendations/"
PLAIN = {"brand": "", "tags": [], "collections": [], "rating": {"average": 0.0}, "price": "9.99", "stock": 5}
Sell = Callable[..., str]


class Shop:
    """What the catalogue has, as the item services told it."""

    def __init__(self) -> None:
        self._told = 0

    def put(self, *ids: str, **more: Any) -> None:
        """Items of these ids, new or changed."""
        for item_id in ids:
            item = {"id": item_id, "type": item_id.partition("_")[0], **PLAIN, "name": item_id, **more}
            self._tell(item_id, item)

    def remove(self, item_id: str) -> None:
        self._tell(item_id, None)

    def _tell(self, item_id: str, item: dict[str, Any] | None) -> None:
        self._told += 1
        kind, texts = item_id.partition("_")[0], (f" {item_id}", "", "")
        applying.apply([Change(item_id, kind, 1, self._told, self._told, item, texts)])


@pytest.fixture
def shop() -> Shop:
    return Shop()


def tell(*purchases: dict[str, Any], by: str = "book") -> Any:
    """As that type's service does."""
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service=f"{by}_service"))  # type: ignore[arg-type]
    return client.post("/internal/changes/", {"changes": [], "purchases": list(purchases)})


def purchase(order: str, item: str, customer: str | None, version: int = 1) -> dict[str, Any]:
    return {"order": order, "item": item, "customer": customer, "version": version}


def sell(customer: str, *items: str) -> None:
    order = str(uuid.uuid4())
    for item in items:
        assert tell(purchase(order, item, customer), by=item.partition("_")[0]).status_code == 200


def view(customer: str, *items: str) -> None:
    for item in items:
        picked(pick, Asked("GET", f"/api/items/{item}/", headers={"x-user-id": customer}))
    seen.write()


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["results"]]


def recommended(customer: str, query: str = "page_size=100") -> list[str]:
    return ids(caller(customer).get(f"{PATH}?{query}"))


def test_newcomers_get_what_sells(shop: Shop) -> None:
    shop.put("book_a", "book_b", "laptop_c", "mobile_d")
    for customer, items in {"1": ["laptop_c"], "2": ["laptop_c", "book_b"], "3": ["laptop_c", "book_b"]}.items():
        sell(customer, *items)
    rebuilding.rebuild()
    answer = caller("newcomer").get(PATH).json()
    assert ([each["id"] for each in answer["results"]], answer["basis"]) == (["laptop_c", "book_b"], "popular")
    assert (answer["count"], answer["next"], answer["results"][0]["price"]) == (2, None, "9.99")
    assert ids(Caller(HTTP_HOST="localhost").get(PATH)) == ["laptop_c", "book_b"]


def test_in_a_shop_that_has_sold_nothing_newcomers_get_what_can_be_bought(shop: Shop) -> None:
    shop.put("book_a", "clothes_b")
    shop.put("book_gone", stock=0)
    assert sorted(recommended("newcomer")) == ["book_a", "clothes_b"]


def test_a_customer_gets_what_those_who_bought_the_same_bought(shop: Shop) -> None:
    shop.put("book_a", "book_b", "book_c", "book_d")
    for customer in "123":
        sell(customer, "book_a", "book_b")
    for customer in "4567":
        sell(customer, "book_c", "book_d")
    sell("ada", "book_a")
    view("bob", "book_d")
    rebuilding.rebuild()
    assert recommended("ada")[0] == "book_b"
    assert recommended("bob")[0] == "book_c"
    assert caller("ada").get(PATH).json()["basis"] == "history"


def test_never_what_is_bought_out_of_stock_not_for_sale_or_gone(shop: Shop) -> None:
    shop.put("book_a", "book_b", "book_bought", "book_well", "book_gone")
    shop.put("book_out", stock=0)
    shop.put("book_unpriced", price=None)
    for customer in "123":
        sell(customer, "book_a", "book_bought", "book_out", "book_unpriced", "book_gone", "book_well")
    sell("ada", "book_a", "book_bought")
    rebuilding.rebuild()
    for path in (PATH, "/api/items/book_a/similar/"):
        assert set(ids(caller("ada").get(path))[:2]) == {"book_well", "book_gone"}
        assert not {"book_out", "book_unpriced", "book_a", "book_bought"} & set(ids(caller("ada").get(path)))
    shop.put("book_well", stock=0)  # since the rebuild
    shop.remove("book_gone")
    assert not {"book_well", "book_gone"} & set(recommended("ada"))
    sell("ada", "book_b")
    assert "book_b" not in recommended("ada")


def test_ties_are_in_the_order_of_ids_at_every_rebuild(shop: Shop) -> None:
    items = [f"book_{letter}" for letter in "fbdaec"]
    shop.put(*items)
    for customer in "12":
        sell(customer, *items)
    found = []
    for _ in range(2):
        rebuilding.rebuild()
        found += [recommended("newcomer"), ids(caller("newcomer").get("/api/items/book_c/similar/"))]
    assert found[0] == sorted(items)
    assert found[1] == [item for item in sorted(items) if item != "book_c"]
    assert found[:2] == found[2:]


def test_an_item_that_nobody_bought_has_similar_ones(shop: Shop) -> None:
    shop.put("book_new", brand="Acme", tags=["craft", "x"], collections=["gifts"])
    shop.put("book_near", brand="Acme", tags=["craft"], collections=["gifts"])
    shop.put("book_far", tags=["craft"], price="900.00")
    shop.put("book_cheap", price="1.00")
    shop.put("laptop_same", brand="Acme", tags=["craft", "x"], collections=["gifts"])
    shop.put("book_out", brand="Acme", tags=["craft", "x"], collections=["gifts"], stock=0)
    for path in ("/api/items/book_new/similar/", "/api/products/book_new/similar/"):
        assert ids(caller("ada").get(path)) == ["book_near", "book_far", "book_cheap"]


def test_who_looked_at_what_nobody_knows_gets_its_like(shop: Shop) -> None:
    shop.put("book_new", "book_near", tags=["craft"])
    shop.put("book_sold")
    sell("1", "book_sold")
    view("ada", "book_new")
    assert recommended("ada")[0] == "book_near"
    assert "book_new" not in recommended("ada")[:1]


def test_similar_to_nothing_is_not_found(shop: Shop) -> None:
    for item in ("book_nothing", "house_1", "nothing"):
        assert caller("ada").get(f"/api/items/{item}/similar/").status_code == 404


def test_pages(shop: Shop) -> None:
    items = [f"book_{number:02}" for number in range(25)]
    shop.put(*items)
    sell("1", *items)
    rebuilding.rebuild()
    first = caller("x").get(f"{PATH}?page_size=20").json()
    assert (first["count"], len(first["results"])) == (25, 20)
    assert ids(caller("x").get(first["next"])) == items[20:]
    for query, code in (("page=0", 400), ("page_size=101", 400), ("page=9", 404)):
        assert caller("x").get(f"{PATH}?{query}").status_code == code


STATES = (purchase("o", "book_a", "guest"), purchase("o", "book_a", "ada", 2), purchase("o", "book_a", None, 3))


@pytest.mark.parametrize("last", [1, 2, 3])
def test_in_whatever_order_and_however_often_it_is_told_a_purchase_is_as_it_was_last(shop: Shop, last: int) -> None:
    sell("ada", "book_b")
    for told in itertools.permutations([*STATES[:last], STATES[0]]):
        signals.purchases().delete_many({"item": "book_a"})
        for each in told:
            assert tell(each).status_code == 200
        buyers = {who for who in ("guest", "ada") if "book_a" in signals.bought_by(who)}
        assert buyers == {STATES[last - 1]["customer"]} - {None}
        assert signals.bought_by("ada") >= {"book_b"}
        assert len(list(signals.every())) == 1 + len(buyers)


@pytest.mark.parametrize(
    "wrong", [{}, {"order": "o", "item": "book_a", "customer": "ada"}, {**STATES[0], "version": "x"}]
)
def test_what_is_no_purchase_is_refused(wrong: dict[str, Any]) -> None:
    assert tell(wrong).status_code == 400
    assert tell().status_code == 200


def test_a_service_tells_of_its_own_items_alone(shop: Shop) -> None:
    answer = tell(purchase("o", "book_a", "ada", 9), by="laptop")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_yours")
    assert signals.bought_by("ada") == set()


def test_views_of_customers_are_kept_and_of_nobody_else(shop: Shop) -> None:
    for path in ("/api/items/book_a/", "/api/books/book_b/", "/api/products/book_c/"):
        picked(pick, Asked("GET", path, headers={"x-user-id": "ada"}))
    for method, path in (("HEAD", "/api/items/book_d/"), ("GET", "/api/items/book_e/reviews/"), ("GET", "/api/books/")):
        picked(pick, Asked(method, path, headers={"x-user-id": "ada"}))
    picked(pick, Asked("GET", "/api/items/book_f/"))  # staff, in open access
    picked(pick, Asked("GET", "/api/items/book_g/", headers={"authorization": "Bearer nonsense"}))
    seen.write()
    assert {(each["customer"], each["item"]) for each in signals.views().find()} == {
        ("ada", "book_a"),
        ("ada", "book_b"),
        ("ada", "book_c"),
    }


def test_of_one_customer_the_latest_views_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "MOST_VIEWS", 3)
    for number in range(5):
        view("ada", f"book_{number}")
    assert signals.of_customer("ada").viewed == ["book_4", "book_3", "book_2"]
    old = datetime.now(UTC) - signals.VIEWS_KEPT - timedelta(days=1)
    signals.views().update_one({"item": "book_2"}, {"$set": {"created_at": old}})
    rebuilding.rebuild()
    assert signals.of_customer("ada").viewed == ["book_4", "book_3"]


def test_what_is_noted_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_noted", deque(maxlen=2))
    view("ada", "book_1", "book_2", "book_3")
    assert signals.of_customer("ada").viewed == ["book_3", "book_2"]


def test_what_a_rebuild_no_longer_finds_is_gone(shop: Shop) -> None:
    shop.put("book_a", "book_b")
    sell("1", "book_a", "book_b")
    call_command("rebuild_recommendations")
    assert ids(caller("x").get("/api/items/book_a/similar/")) == ["book_b"]
    for sold in list(signals.purchases().find()):
        tell(purchase(sold["order"], sold["item"], None, 2))
    shop.put("book_b", stock=0)
    call_command("rebuild_recommendations")
    assert ids(caller("x").get("/api/items/book_a/similar/")) == []


def test_a_rebuild_is_begun_once_when_there_is_news(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    class Child:
        def poll(self) -> int:
            return 0

    def start() -> Child:
        begun.append("one")
        rebuilding.rebuild()
        return Child()

    monkeypatch.setattr(rebuilding, "start", start)
    rebuilding.look_after()
    assert not begun  # nothing has ever happened
    sell("ada", "book_b")
    rebuilding.look_after()
    rebuilding.look_after()
    assert len(begun) == 1
    sell("ada", "book_a")
    rebuilding.look_after()
    assert len(begun) == 1  # there was one just now
    rebuilding._state().update_one({}, {"$set": {"due": datetime.now(UTC)}})
    rebuilding.look_after()
    assert len(begun) == 2
    rebuilding._state().update_one({}, {"$set": {"due": datetime.now(UTC)}})
    rebuilding.look_after()
    assert len(begun) == 2  # nothing has happened
    for sold in list(signals.purchases().find({"item": "book_a"})):
        tell(purchase(sold["order"], sold["item"], None, 2))
    rebuilding.look_after()
    assert len(begun) == 3  # what came back is news


def test_the_rebuild_is_a_process_of_its_own(mongo_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("MONGO_DATABASE", settings.MONGO_DATABASE)
    sell("ada", "book_a", "book_b")
    assert rebuilding.start().wait(60) == 0
    from items_router.recommending import kept

    assert kept.of(["book_a"])["book_a"][0][0] == "book_b"


def test_a_process_that_serves_does_without_numpy(tmp_path: Path) -> None:
    look = (
        "import sys; from shopkit import entry, sweeper; app = entry.application(); sweeper.declared('items_router');"
        "import items_router.recommending.choosing; sys.exit('numpy' in sys.modules)"
    )
    env = {**os.environ, "SHOP_SERVICE": "items_router", "SHOP_DATA": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=env).returncode == 0
