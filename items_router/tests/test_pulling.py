"""What the catalogue asks for: everything, once; what was missed, again and again; and whether a service is there."""

import json
import re
import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import requests
import responses
from django.core.management import CommandError, call_command
from django.test import Client

from items_router import pulling
from items_router.catalogue import applying, sources, store
from items_router.catalogue.change import Change
from items_router.tests import shop
from items_router.tests.test_feed import shown
from items_router.tests.test_lists import empty
from shopkit import topology
from shopkit.config import config
from shopkit.items import changes, feed, services

pytestmark = pytest.mark.usefixtures("store")


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


def test_a_service_too_busy_to_say_that_it_is_there_is_there_while_it_answers_others(
    client: Client, peers: responses.RequestsMock
) -> None:
    peers.get(re.compile(r".*/internal/changes/"), body=requests.ReadTimeout())
    shop.all_live()
    sources.heard("book")
    pull()
    assert sources.live() == {"book": True, "laptop": False, "mobile": False, "clothes": False}


@pytest.mark.parametrize("harm", [b"no database at all", b""])
def test_a_file_that_is_broken_or_old_is_begun_anew(client: Client, services_up: Services, harm: bytes) -> None:
    shop.make("book_1")
    pull()
    store.close()
    path = config().data.resolve() / "catalogue.sqlite3"
    if harm:
        path.write_bytes(harm * 1000)
    else:
        with closing(sqlite3.connect(path)) as old:
            old.execute("PRAGMA user_version = 0")
    sources.forget_known()
    assert client.get("/api/items/").json()["count"] == 0
    pull()
    assert shop.ids(client.get("/api/items/").json()) == ["book_1"]


def test_the_command_reads_all_anew_and_says_how_far_it_is(
    client: Client, services_up: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        shop.make(f"book_{number}")
    call_command("rebuild_catalogue")
    said = capsys.readouterr().out
    assert "book              3 read" in said
    assert client.get("/api/items/").json()["count"] == 3
    services_up.down = {"mobile"}
    with pytest.raises(CommandError, match="mobile_service"):
        call_command("rebuild_catalogue", only="mobile")


def test_a_rebuild_that_begins_while_a_page_is_read_is_not_ended_by_it(client: Client, services_up: Services) -> None:
    """Who reads the last page of an older round must not take for gone what the newer one has yet to read."""
    for number in range(3):
        shop.make(f"book_{number}")
    pull()
    old = sources.every()["book"]
    pulling.begin_again("book")
    pulling._complete(old, moment=10**15, began=0)
    pulling._heal(topology.by_item_type()["book"], old)
    assert (sources.every()["book"].since, sources.every()["book"].round_at is None) == (0, False)
    pull()
    assert client.get("/api/items/").json()["count"] == 3


def test_a_long_heal_leaves_the_others_their_turn_and_goes_on(
    client: Client, services_up: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull()
    start, ticks = changes.now(), count()
    monkeypatch.setattr(changes, "now", lambda: start + timedelta(milliseconds=next(ticks)))
    monkeypatch.setattr(pulling, "PAGE", 2)
    monkeypatch.setattr(pulling, "AT_A_TIME", -1)
    monkeypatch.setattr(pulling, "OVERLAP", 0)
    for number in range(5):
        shop.make(f"book_{number}")
    for seen in (2, 3, 4, 5):
        pull(healing=True)
        assert client.get("/api/items/").json()["count"] == seen


@pytest.mark.parametrize("harm", ["damaged", "deleted"])
def test_a_file_that_is_harmed_while_it_is_used_is_begun_anew(client: Client, services_up: Services, harm: str) -> None:
    for number in range(40):
        shop.make(f"book_{number:02}", description="long " * 400)
    pull()
    path = config().data / "catalogue.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if harm == "deleted":
        path.unlink()
    else:
        store.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        with suppress(sqlite3.DatabaseError):
            client.get("/api/items/")
    assert client.get("/api/items/").json()["count"] == 0
    pull()
    assert client.get("/api/items/").json()["count"] == 40
