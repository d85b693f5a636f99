"""What item services tell: twice, late, in any order, or not at all, the catalogue ends with what is."""

import json
from typing import Any

import pytest
import responses
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from items_router import pulling
from items_router.catalogue import applying, reading, sources
from items_router.catalogue.change import Change
from items_router.tests import shop
from items_router.tests.test_lists import MOSTLY, empty
from shopkit import topology
from shopkit.auth import Identity
from shopkit.items import changes, feed, services, stock
from shopkit.items.tombstones import tombstones
from shopkit.testing import Caller

pytestmark = pytest.mark.usefixtures("store")
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
    "change", [{}, {"id": "book_1"}, {"id": "b", "type": "book", "version": "x"}, {"item": {}, "texts": []}]
)
def test_what_is_no_change_is_refused(book_service: Caller, change: dict[str, Any]) -> None:
    assert book_service.post("/internal/changes/", {"changes": [change]}).status_code == 400


def test_only_who_is_in_front_of_us_tells_us(client: Client, book_service: Caller) -> None:
    assert client.post("/internal/changes/", {"changes": []}, "application/json").status_code == 403
    book_service.force_authenticate(user=Identity(service="cart_service"))  # type: ignore[arg-type]
    assert book_service.post("/internal/changes/", {"changes": []}).status_code == 403


class Services:
    """Answers for all item services out of the one store, by their own feed; `down` and `deaf` can be set."""

    def __init__(self, peers: responses.RequestsMock) -> None:
        self.down: set[str] = set()
        self.asked: list[str] = []
        for kind, service in topology.by_item_type().items():
            url = f"{service.url}/internal/changes/"
            peers.add_callback("GET", url, callback=lambda request, kind=kind: self._answer(kind, request))

    def _answer(self, kind: str, request: Any) -> tuple[int, dict[str, str], str]:
        self.asked.append(f"{kind} {request.params.get('since')}")
        if kind in self.down:
            return 503, {}, json.dumps({"error": "x", "code": "store_down"})
        given = request.params
        if "since" not in given:
            return 200, {}, json.dumps(feed.of(kind=shop.KINDS[kind], ids=[i for i in given["ids"].split(",") if i]))
        moment, limit = int(given["since"]), int(given["limit"])
        page = feed.since(kind=shop.KINDS[kind], moment=moment, after=given.get("after", ""), limit=limit)
        # one store plays four: each has only its own, which keeps pages shorter than they say
        own = [each for each in page["changes"] if each["id"].startswith(f"{kind}_")]
        count = sum(each["_id"].startswith(f"{kind}_") for each in changes.items().find())
        return 200, {}, json.dumps({**page, "changes": own, "count": count})


@pytest.fixture
def services_up(peers: responses.RequestsMock) -> Services:
    return Services(peers)


def pull(*, healing: bool = False) -> None:
    for kind in shop.KINDS:
        sources.put(kind, tried_at=0, **({"healed_at": 1 + sources.every()[kind].healed_at - 100} if healing else {}))
    pulling.look_after()


def test_a_new_catalogue_reads_everything_and_then_is_live(client: Client, services_up: Services) -> None:
    for item_id in ("book_1", "laptop_1", "mobile_1", "mobile_2"):
        shop.make(item_id)
    services_up.down = {"laptop"}
    assert set(client.get("/api/items/").json()["sources"].values()) == {"snapshot"}
    pull()
    listed = client.get("/api/items/").json()
    assert shop.ids(listed) == ["book_1", "mobile_1", "mobile_2"]
    assert listed["sources"] == {"book": "live", "laptop": "snapshot", "mobile": "live", "clothes": "live"}
    services_up.down = set()
    pull()
    assert shop.ids(client.get("/api/items/?strict=true").json()) == ["book_1", "laptop_1", "mobile_1", "mobile_2"]


def test_what_is_read_anew_is_what_was_fed(client: Client, services_up: Services) -> None:
    for number in range(30):
        shop.make(f"book_{number:02}", name=f"n{number % 7}", tags=[f"t{number % 3}"], brand="B")
    shop.feed_all()
    services.delete(item_id="book_07", version=None)
    applying.apply(map(Change.read, shop.told([{"_id": "book_07"}])))
    fed = shown(client)
    empty()
    for kind in shop.KINDS:
        sources.claim(kind, every_seconds=0)
        pulling.begin_again(kind)
    pull()
    rebuilt = shown(client)
    for each in (fed, rebuilt):
        del each["facets"]["sources"]
    assert rebuilt == fed


@pytest.mark.parametrize("lost", ["make", "change", "delete"])
def test_what_nobody_told_is_found_by_asking(client: Client, services_up: Services, lost: str) -> None:
    shop.make("book_1", name="old")
    pull()
    if lost == "make":
        shop.make("book_2")
    elif lost == "change":
        services.update(kind=shop.KINDS["book"], item_id="book_1", values={"name": "new"}, version=None)
    else:
        services.delete(item_id="book_1", version=None)
    pull()
    assert [each["name"] for each in client.get("/api/items/").json()["results"]] == ["old"]  # not due yet
    pull(healing=True)
    names = {"make": ["book_2", "old"], "change": ["new"], "delete": []}[lost]
    assert [each["name"] for each in client.get("/api/items/").json()["results"]] == names


def test_a_store_that_lost_its_items_is_noticed_by_their_number(client: Client, services_up: Services) -> None:
    for number in range(3):
        shop.make(f"book_{number}")
    pull()
    changes.items().delete_many({"_id": "book_1"})  # without a word: restored from an older copy, say
    for _ in range(3):
        pull(healing=True)
    assert shop.ids(client.get("/api/items/").json()) == ["book_0", "book_2"]


def test_a_service_that_is_down_is_asked_again_and_back_by_itself(client: Client, services_up: Services) -> None:
    shop.make("mobile_1")
    pull()
    services_up.down = {"mobile"}
    pull()
    assert client.get("/api/items/").json()["sources"]["mobile"] == "snapshot"
    shop.make("mobile_2")
    services_up.down = set()
    pull(healing=True)
    listed = client.get("/api/items/").json()
    assert (listed["sources"]["mobile"], shop.ids(listed)) == ("live", ["mobile_1", "mobile_2"])


def test_of_several_processes_one_asks(services_up: Services) -> None:
    pulling.look_after()
    asked = len(services_up.asked)
    pulling.look_after()
    assert (asked > 0, len(services_up.asked)) == (True, asked)


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
