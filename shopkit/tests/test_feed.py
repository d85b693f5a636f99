"""What an item service tells of its items: each change until it was taken, deletions too, whatever crashes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from django.core.management import call_command

from shopkit import topology
from shopkit.items import feed, internal, purchases, services, stock, tombstones
from shopkit.items.changes import items
from shopkit.items.kind import own_kind
from shopkit.testing import Caller
from shopkit.tests.test_stock import Make, make, router  # noqa: F401  # fixtures

pytestmark = pytest.mark.usefixtures("store")
URL = f"{topology.service('items_router').url}/internal/changes/"


class Router:
    """Plays the items router: what it took, in the order it came; `before` is done when a message arrives."""

    def __init__(self) -> None:
        self.took: list[dict[str, Any]] = []
        self.sold: list[dict[str, Any]] = []
        self.deaf = False
        self.before = lambda: None

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.before()
        if self.deaf:
            return 503, {}, json.dumps({"error": "x", "code": "unavailable"})
        told = json.loads(request.body or "")
        self.took += told["changes"]
        self.sold += told["purchases"]
        return 200, {}, "{}"


@pytest.fixture
def listener(peers: responses.RequestsMock) -> Router:
    found = Router()
    peers.add_callback("POST", URL, callback=found.answer)
    return found


def versions(listener: Router) -> list[tuple[int, bool]]:
    """Of all that was taken: the version, and whether the item is there."""
    return [(each["version"], each["item"] is not None) for each in listener.took]


def test_each_change_is_told_once_with_all_that_a_list_shows(
    staff: Caller,
    make: Make,  # noqa: F811
    listener: Router,
) -> None:
    item = make(3)
    assert (feed.tell(), feed.tell()) == (1, 0)
    [told] = listener.took
    assert told["item"] == staff.get(f"/api/books/{item}/").json()
    assert (told["id"], told["type"], told["texts"]) == (item, "book", [" emma", " jane austen", ""])
    stock.adjust(item_id=item, change=1, reason="x")
    staff.patch(f"/api/books/{item}/", {"name": "Émma"})
    services.delete(item_id=item, version=None)
    feed.tell()
    assert versions(listener)[1:] == [(4, False)]


def test_while_the_router_is_away_changes_wait(make: Make, listener: Router) -> None:  # noqa: F811
    make(1)
    services.delete(item_id=make(2), version=None)
    listener.deaf = True
    assert (feed.tell(), feed.standing()["untold"]) == (0, 2)
    listener.deaf = False
    assert (feed.tell(), feed.standing()["untold"]) == (2, 0)


def test_what_changes_while_it_is_told_is_told_again(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(3)
    changes = iter([lambda: stock.adjust(item_id=item, change=1, reason="x")])
    listener.before = lambda: next(changes, lambda: None)()
    while feed.tell():
        pass
    assert versions(listener) == [(1, True), (2, True)]


def test_many_changes_come_in_messages_of_a_hundred(make: Make, listener: Router) -> None:  # noqa: F811
    example = items().find_one({"_id": make(1)})
    assert example
    items().insert_many([{**example, "_id": f"book_{number}"} for number in range(250)])
    assert feed.tell() == 251
    assert {each["id"] for each in listener.took} == {each["_id"] for each in items().find()}


def sell(item: str, order: str, quantity: int = 2) -> None:
    stock.reserve(order_id=order, lines={item: quantity})
    internal.commit(order_id=order, lines={item: quantity}, customer_id="ada")


def test_who_has_bought_an_item_is_told_until_it_was_taken(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(9)
    sell(item, "o-1")
    listener.deaf = True
    feed.tell_purchases()
    listener.deaf = False
    feed.tell_purchases()
    feed.tell_purchases()
    assert listener.sold == [{"order": "o-1", "item": item, "customer": "ada", "version": 1}]


def test_what_came_back_whole_is_told_to_be_nobodys(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(9)
    sell(item, "o-1")
    for number, owner in enumerate(("ada", None), 2):
        internal.restock(order_id="o-1", lines={item: 1}, key=f"refund-{number}")
        feed.tell_purchases()
        assert listener.sold[-1] == {"order": "o-1", "item": item, "customer": owner, "version": number}


def test_who_became_the_buyer_meanwhile_is_told_next(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(9)
    sell(item, "o-1")
    changes = iter([lambda: purchases.change_buyer(order_id="o-1", lines={item: 2}, customer_id="bob")])
    listener.before = lambda: next(changes, lambda: None)()
    feed.tell_purchases()
    feed.tell_purchases()
    assert [(each["customer"], each["version"]) for each in listener.sold] == [("ada", 1), ("bob", 2)]


def crashed_before_deleting(item: str) -> None:
    document = items().find_one({"_id": item})
    assert document
    tombstones.prepare(document)


def crashed_after_deleting(item: str) -> None:
    crashed_before_deleting(item)
    items().delete_one({"_id": item})


def later() -> None:
    """So long after that whoever was deleting must have ended."""
    stones, past = tombstones.tombstones(), {"updated_at": tombstones.now() - 2 * tombstones.SETTLED_AFTER}
    for stone in stones.find({"prepared": True}):
        stones.update_one({"_id": stone["_id"]}, {"$set": past})
    tombstones.settle()


def test_a_deletion_that_crashed_half_way_is_told_once_it_is_settled(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(1)
    feed.tell()
    crashed_after_deleting(item)
    tombstones.settle()
    assert feed.tell() == 0
    later()
    assert feed.tell() == 1
    assert versions(listener) == [(1, True), (2, False)]


def test_a_deletion_that_never_came_hides_nothing(make: Make, listener: Router) -> None:  # noqa: F811
    item = make(1)
    feed.tell()
    crashed_before_deleting(item)
    assert [each["item"] is None for each in feed.of(kind=own_kind(), ids=[item])["changes"]] == [False]
    later()
    assert (feed.tell(), tombstones.tombstones().count_documents({})) == (0, 0)


def test_an_item_made_anew_is_later_than_its_deletion(make: Make, listener: Router) -> None:  # noqa: F811
    first = items().find_one({"_id": make(1)})
    assert first
    services.delete(item_id=first["_id"], version=None)
    values = {name: first[name] for name in ("name", "author", "price", "available")}
    services.create(kind=own_kind(), values=values, item_id=first["_id"])
    feed.tell()
    last = max(listener.took, key=lambda each: (each["created_at"], each["version"]))
    assert last["item"] is not None


def test_old_tombstones_go_once_they_were_told(make: Make, listener: Router) -> None:  # noqa: F811
    services.delete(item_id=make(1), version=None)
    stones = tombstones.tombstones()
    stones.update_many({}, {"$set": {"updated_at": tombstones.now() - tombstones.KEPT - timedelta(hours=1)}})
    assert tombstones.forget_old() == 0
    feed.tell()
    assert tombstones.forget_old() == 1


def read_all(router: Caller, limit: int) -> list[str]:  # noqa: F811
    found: list[str] = []
    since, after = 0, ""
    while True:
        page = router.get("/internal/changes/", {"since": since, "after": after, "limit": limit}).json()["changes"]
        found += [each["id"] for each in page]
        if len(page) < limit:
            return found
        since, after = page[-1]["updated_at"], page[-1]["id"]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_changes_are_read_in_pages_in_the_order_of_their_time(router: Caller, make: Make, limit: int) -> None:  # noqa: F811
    made = [make(1) for _ in range(7)]
    same = items().find_one({"_id": made[0]})
    assert same
    for item in made[:4]:  # several in one moment
        items().update_one({"_id": item}, {"$set": {"updated_at": same["updated_at"]}})
    services.delete(item_id=made[5], version=None)
    found = read_all(router, limit)
    assert sorted(found) == sorted(made)
    assert (found[:4], found[-1]) == (sorted(made[:4]), made[5])


def test_nobody_else_reads_them(staff: Caller, ada: Caller) -> None:
    for client in (staff, ada):
        assert client.get("/internal/changes/", {"since": 0}).status_code == 403


def test_what_makes_no_sense_is_refused(router: Caller) -> None:  # noqa: F811
    for wrong in ({"since": -1}, {"since": "x"}, {"since": 0, "limit": 0}, {"since": 10**30}):
        assert router.get("/internal/changes/", wrong).status_code == 400


def test_search_looks_in_descriptions_too(staff: Caller, make: Make) -> None:  # noqa: F811
    item = make(1)
    staff.patch(f"/api/books/{item}/", {"description": "Of Highbury's society"})
    assert staff.get("/api/books/?search=high emm").json()["count"] == 1


def test_who_makes_an_item_is_told_where_it_is(staff: Caller) -> None:
    answer = staff.post("/api/items/", {"name": "Emma", "author": "Jane Austen"})
    assert staff.get(answer["Location"]).json() == answer.json()


def test_an_item_made_anew_from_a_file_goes_on_from_its_last_version(
    make: Make,  # noqa: F811
    listener: Router,
    tmp_path: Path,
) -> None:
    """Else an ETag that somebody has of the old one would name the new one too."""
    first = items().find_one({"_id": make(1)})
    assert first
    services.delete(item_id=first["_id"], version=None)
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps({"id": first["_id"], "name": "Anew", "author": "A", "price": "7.00"}))
    call_command("import_items", str(path))
    again = items().find_one({"_id": first["_id"]})
    assert again
    assert (again["name"], again["version"]) == ("Anew", first["version"] + 2)


def test_who_deletes_what_was_just_deleted_does_not_take_that_back(make: Make, listener: Router) -> None:  # noqa: F811
    item = items().find_one({"_id": make(1)})
    assert item
    services.delete(item_id=item["_id"], version=None)
    tombstones.prepare(item)
    assert [each["item"] for each in feed.of(kind=own_kind(), ids=[item["_id"]])["changes"]] == [None]
