"""Lists of all types: whatever is asked, what comes is what sorting everything in one list would give."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from items_router.catalogue import sources
from items_router.tests.shop import all_live, feed_all, ids, make, own_list
from shopkit.items import changes
from shopkit.items.filters import fold

pytestmark = pytest.mark.usefixtures("store")

NAMES = ("Émile", "emile Zola", "the Case", "CASE 12", "Straße_7", "x", "Zoë of the case", "Ünder Cover", "日本 語")
BRANDS = ("", "Acme", "ACME", "acmé", "Öko", "öko")
TAGS = ("sale", "new", "case")
ITEMS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["book", "laptop", "mobile", "clothes"]),
        "name": st.sampled_from(NAMES),
        "description": st.sampled_from(["", "A case of Émile's.", "nothing to see"]),
        "author": st.sampled_from(["", "Zola", "Jane Case"]),
        "brand": st.sampled_from(BRANDS),
        "price": st.sampled_from([None, 0, 100, 250, 999, 1000, 2500]),
        "available": st.sampled_from([0, 1, 5]),
        "rating": st.sampled_from([0.0, 3.5, 5.0]),
        "tags": st.lists(st.sampled_from(TAGS), unique=True),
        "collections": st.lists(st.sampled_from(["gifts", "winter"]), unique=True),
        "age": st.integers(0, 3),
    }
)
FIELDS = ("name", "price", "stock", "rating", "created_at", "updated_at")
ORDERS = st.lists(st.sampled_from(FIELDS), unique=True, min_size=1, max_size=3).flatmap(
    lambda fields: st.tuples(*(st.sampled_from([field, f"-{field}"]) for field in fields)).map(",".join)
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "search": st.sampled_from(
            ["case", "emile", "ZOLA emi", "str", "straße", "c e", "ç", "see", "日", "_", "!!", "12"]
        ),
        "min_price": st.sampled_from(["0", "1.00", "2.51", "10"]),
        "max_price": st.sampled_from(["0", "2.5", "9.99", "1000"]),
        "brand": st.sampled_from(["acme", "ÖKO", "ac"]),
        "tag": st.sampled_from(["sale", " Case"]),
        "collection": st.sampled_from(["gifts", "summer"]),
        "in_stock": st.sampled_from(["true", "false"]),
        "ordering": ORDERS,
    },
)
KEPT = {"stock": "available", "rating": "rating"}
START = datetime(2026, 1, 1, tzinfo=UTC)
MOSTLY = settings(
    max_examples=60,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def stocked(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents, in the services' store and in the catalogue; what an earlier example left there is gone."""
    for old in changes.items().find():
        changes.items().update_one({"_id": old["_id"]}, {"$set": {"version": 0}})
    changes.items().delete_many({})
    documents = []
    for number, values in enumerate(drawn):
        kind, age = values["kind"], values["age"]
        made = {name: value for name, value in values.items() if name not in ("kind", "age")}
        at = START + timedelta(milliseconds=age)
        document = make(f"{kind}_{number:03}", **made)
        changes.items().update_one({"_id": document["_id"]}, {"$set": {"created_at": at, "updated_at": at}})
        documents.append({**document, "created_at": at, "updated_at": at})
    empty()
    feed_all()
    return documents


def empty() -> None:
    from items_router.catalogue import store

    with store.writing() as connection:
        for table in ("items", "bodies", "tags", "collections", "texts", "gone"):
            connection.execute(f"DELETE FROM {table}")
        store.raise_generation(connection)


def matches(document: dict[str, Any], asked: dict[str, str]) -> bool:
    """The contract's filters, in plain Python."""
    texts = [document["name"], document["author"], document["brand"], document["description"], *document["tags"]]
    words = "".join(char if char.isalnum() or char == "_" else " " for char in fold(" ".join(texts))).split()
    wanted = "".join(c if c.isalnum() or c == "_" else " " for c in fold(asked.get("search", ""))).split()
    price = document["price"]
    return all(
        (
            all(any(word.startswith(start) for word in words) for start in wanted),
            "min_price" not in asked or (price is not None and price >= float(asked["min_price"]) * 100),
            "max_price" not in asked or (price is not None and price <= float(asked["max_price"]) * 100),
            "brand" not in asked or document["brand"].lower() == asked["brand"].lower(),
            "tag" not in asked or asked["tag"].strip().lower() in document["tags"],
            "collection" not in asked or asked["collection"] in document["collections"],
            "in_stock" not in asked or (document["available"] > 0) == (asked["in_stock"] == "true"),
        )
    )


def sorted_by(documents: list[dict[str, Any]], ordering: str) -> list[str]:
    found = sorted(documents, key=lambda each: str(each["_id"]))
    for field in reversed(ordering.split(",")):
        name = field.removeprefix("-")

        def key(each: dict[str, Any], name: str = name) -> tuple[bool, Any]:
            value = each["rating"]["average"] if name == "rating" else each[KEPT.get(name, name)]
            return (value is not None, value if value is not None else 0)

        found.sort(key=key, reverse=field.startswith("-"))
    return [each["_id"] for each in found]


def read_through(client: Client, asked: dict[str, str]) -> tuple[list[str], set[int]]:
    """The ids of all pages, by their links, and the counts they gave."""
    page = client.get("/api/items/", asked).json()
    seen, counts = ids(page), {page["count"]}
    while page["next"]:
        page = client.get(page["next"]).json()
        seen, counts = seen + ids(page), counts | {page["count"]}
    return seen, counts


@given(drawn=st.lists(ITEMS, max_size=25), asked=FILTERS, size=st.sampled_from(["1", "3", "100"]))
@MOSTLY
def test_any_filters_order_and_pages_give_what_one_sorted_list_gives(
    client: Client, drawn: list[dict[str, Any]], asked: dict[str, str], size: str
) -> None:
    documents = stocked(drawn)
    expected = [each for each in documents if matches(each, asked)]
    seen, counts = read_through(client, {**asked, "page_size": size})
    assert counts == {len(expected)}
    ordered = {**asked, "ordering": asked.get("ordering", "name")}
    assert own_list(ordered) == sorted_by(expected, ordered["ordering"])  # the item services' own lists agree
    if "search" in asked and "ordering" not in asked:
        assert sorted(seen) == sorted(each["_id"] for each in expected)
    else:
        assert seen == own_list(ordered)


@given(drawn=st.lists(ITEMS, max_size=25), asked=FILTERS)
@MOSTLY
def test_facets_say_how_long_the_list_would_be(
    client: Client, drawn: list[dict[str, Any]], asked: dict[str, str]
) -> None:
    stocked(drawn)
    asked.pop("ordering", None)
    found = client.get("/api/items/facets/", asked).json()

    def count(more: dict[str, str]) -> int:
        return int(client.get("/api/items/", {**asked, **more}).json()["count"])

    assert found["count"] == count({})
    for facet, name in (("brands", "brand"), ("collections", "collection"), ("tags", "tag")):
        for each in found[facet]:
            if name not in asked:
                assert count({name: each["value"]}) == each["count"], (facet, each)
    for band in found["prices"]:
        assert count({f: band[f] for f in ("min_price", "max_price") if band[f] is not None}) == band["count"], band
    for each in found["types"]:
        more = {} if len(found["types"]) == 1 else {"type": f"{each['value']},{each['value']}"}
        assert count(more) == each["count"]


@pytest.mark.parametrize("ordering", ["name", "-price", "created_at"])
def test_every_item_is_on_exactly_one_page_while_others_are_added(client: Client, ordering: str) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    there = {
        make(f"book_{number:03}", name=chance.choice(NAMES), price=chance.randrange(9))["_id"] for number in range(40)
    }
    feed_all()
    url, seen, made = f"/api/items/?page_size=7&ordering={ordering}", [], 0
    while url:
        page = client.get(url).json()
        seen += ids(page)
        assert page["count"] == len(there)
        for _ in range(chance.randrange(5)):
            made += 1
            make(f"laptop_{made:03}", name=chance.choice(NAMES), price=chance.randrange(9))
        feed_all()
        url = page["next"]
    assert sorted(seen) == sorted(there)


def test_the_best_match_comes_first(client: Client) -> None:
    make("book_1", name="Cooking", description="A little of everything, and of python too")
    make("book_2", name="Snakes", author="Monty Python")
    make("mobile_1", name="Python in a Nutshell")
    make("book_3", name="Nothing")
    feed_all()
    assert ids(client.get("/api/items/?search=PYTH").json()) == ["mobile_1", "book_2", "book_1"]
    assert ids(client.get("/api/items/?search=pyth&ordering=name").json()) == ["book_1", "mobile_1", "book_2"]


def test_several_types_can_be_asked_for(client: Client) -> None:
    for item_id in ("book_1", "laptop_1", "mobile_1"):
        make(item_id)
    feed_all()
    assert ids(client.get("/api/items/?type=book,mobile").json()) == ["book_1", "mobile_1"]
    answer = client.get("/api/items/?type=book,house")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_item_type")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=0", 400),
        ("page_size=101", 400),
        ("ordering=x", 400),
        ("page=999", 404),
        ("min_price=cheap", 400),
        ("in_stock=perhaps", 400),
        ("as_of=x", 400),
        ("page=1000000000&page_size=100", 404),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, query: str, code: int) -> None:
    answer = client.get(f"/api/items/?{query}")
    assert (answer.status_code, set(answer.json())) == (code, {"error", "code", "details", "request_id"})


def test_a_list_says_who_answers_and_strictly_refuses_what_is_old(client: Client) -> None:
    from items_router.catalogue import sources

    make("mobile_1")
    feed_all()
    all_live()
    sources.failed("mobile")
    answer = client.get("/api/items/")
    states = {"book": "live", "laptop": "live", "mobile": "snapshot", "clothes": "live"}
    assert (answer.status_code, answer.json()["sources"], ids(answer.json())) == (200, states, ["mobile_1"])
    for path in ("/api/items/", "/api/items/facets/"):
        strict = client.get(f"{path}?strict=true")
        assert (strict.status_code, strict["Retry-After"]) == (503, "1")
        assert "mobile" in strict.json()["error"]
    sources.reached("mobile")
    assert client.get("/api/items/?strict=true").status_code == 200


@pytest.mark.parametrize("path", ["/api/items/", "/api/items/facets/"])
def test_who_has_the_present_state_is_told_so_without_it(client: Client, path: str) -> None:
    stocked([])
    make("book_1")
    feed_all()
    all_live()
    first = client.get(path, {"search": "book"})
    known = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    same = client.get(path, {"search": "book"}, **known)
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    changes.change({"_id": "book_1"}, put={"price": 7})
    feed_all()
    changed = client.get(path, {"search": "book"}, **known)
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)
    sources.put("laptop", failed_at=time.time() + 1)
    assert client.get(path, {"search": "book"}, HTTP_IF_NONE_MATCH=changed["ETag"]).json()["sources"] == {
        "book": "live",
        "clothes": "live",
        "laptop": "snapshot",
        "mobile": "live",
    }
