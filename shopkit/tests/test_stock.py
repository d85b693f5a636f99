"""Stock over HTTP: whatever is held, given back or sold, all adds up; nothing is sold twice, whoever asks how often."""

import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from shopkit.auth import Identity
from shopkit.items import stock, stock_log
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.usefixtures("store")
Make = Callable[..., str]


@pytest.fixture
def router() -> APIClient:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="items_router"))  # type: ignore[arg-type]
    return client


@pytest.fixture
def make(staff: Caller) -> Make:
    def made(available: int, price: str | None = "9.99") -> str:
        body = {"name": "Emma", "author": "Jane Austen", "price": price, "stock": available}
        return str(staff.post("/api/books/", body).json()["id"])

    return made


def ask(client: APIClient, step: str, order: str, lines: dict[str, int], **more: str) -> Any:
    return client.post(f"/internal/reservations/{order}/{step}/", {"lines": lines, **more})


def order_id() -> str:
    return str(uuid.uuid4())


def counts(item_id: str) -> tuple[int, int, int]:
    """What is free, held and sold; the counts agree with the holds, and with what was ever put in."""
    item = stock.items().find_one({"_id": item_id})
    assert item
    assert item["held"] == sum(hold["quantity"] for hold in item["holds"].values())
    put_in = sum(
        entry["quantity"] for entry in stock_log.history(item_id=item_id) if entry["kind"] in ("initial", "adjust")
    )
    assert item["available"] + item["held"] + item["sold"] == put_in
    [page] = [each for each in stock_log.page_of_stock(after="") if each["id"] == item_id]
    assert (sum(page["holds"].values()), page["put_in"]) == (item["held"], put_in)
    assert sum(entry["quantity"] for entry in stock_log.history(item_id=item_id)) == item["available"]
    return item["available"], item["held"], item["sold"]


def test_what_is_reserved_is_held_and_then_sold(router: APIClient, make: Make) -> None:
    item, order = make(5), order_id()
    answer = ask(router, "reserve", order, {item: 2})
    assert (answer.status_code, answer.json()) == (200, {"items": {item: {"price": 999}}})
    assert counts(item) == (3, 2, 0)
    assert ask(router, "commit", order, {item: 2}).status_code == 200
    assert counts(item) == (3, 0, 2)


@pytest.mark.parametrize("before", [["reserve"], ["reserve", "commit"]])
def test_what_has_lost_its_price_since_is_told_without_one(
    router: APIClient, make: Make, staff: Caller, before: list[str]
) -> None:
    item, order = make(5), order_id()
    for step in before:
        ask(router, step, order, {item: 2})
    assert staff.patch(f"/api/books/{item}/", {"price": None}).status_code == 200
    answer = ask(router, "reserve", order, {item: 2})
    assert (answer.status_code, answer.json()) == (200, {"items": {item: {"price": None}}})


@pytest.mark.parametrize("step", ["reserve", "release", "commit", "restock"])
def test_each_step_counts_once(router: APIClient, make: Make, step: str) -> None:
    item, order = make(5), order_id()
    for before in {"release": ["reserve"], "commit": ["reserve"], "restock": ["reserve", "commit"]}.get(step, []):
        ask(router, before, order, {item: 2})
    more = {"key": "refund-1"} if step == "restock" else {}
    assert ask(router, step, order, {item: 2}, **more).status_code == 200
    once = counts(item)
    assert ask(router, step, order, {item: 2}, **more).status_code == 200
    stock_log.REPEATED_WITHIN, before_patch = timedelta(0), stock_log.REPEATED_WITHIN
    try:
        stock_log.write()
    finally:
        stock_log.REPEATED_WITHIN = before_patch
    assert ask(router, step, order, {item: 2}, **more).status_code == 200
    assert counts(item) == once


@pytest.mark.parametrize("undone", [False, True])
@pytest.mark.parametrize("logged", [False, True])
def test_a_reservation_that_comes_after_the_sale_is_not_sold_once_more(
    router: APIClient, make: Make, logged: bool, undone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, order = make(5), order_id()
    ask(router, "reserve", order, {item: 2})
    ask(router, "commit", order, {item: 2})
    if undone:
        ask(router, "restock", order, {item: 2}, key="undo")
    if logged:
        monkeypatch.setattr(stock_log, "REPEATED_WITHIN", timedelta(0))
        stock_log.write()
    ask(router, "reserve", order, {item: 2})  # it was long on its way
    assert ask(router, "commit", order, {item: 2}).status_code == 200
    assert counts(item) == ((5, 0, 0) if undone else (3, 0, 2))


@pytest.mark.parametrize("logged", [False, True])
@pytest.mark.parametrize("late", [["commit"], ["reserve", "commit"]])
def test_an_order_undone_before_it_was_sold_is_not_sold_by_what_was_long_on_its_way(
    router: APIClient, make: Make, logged: bool, late: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    item, order = make(5), order_id()
    ask(router, "release", order, {item: 2})
    ask(router, "restock", order, {item: 2}, key="undo")
    if logged:
        monkeypatch.setattr(stock_log, "REPEATED_WITHIN", timedelta(0))
        stock_log.write()
    codes = [ask(router, step, order, {item: 2}).json()["code"] for step in late]
    assert codes == ["order_undone", "hold_gone"][-len(late) :]
    assert counts(item) == (5, 0, 0)


def test_what_an_order_was_sold_counts_when_it_begins_again_with_what_it_was_not(router: APIClient, make: Make) -> None:
    """It was sold the last piece of one item, and lost its hold on another before that was sold too."""
    last, other, order = make(1), make(1), order_id()
    ask(router, "reserve", order, {last: 1, other: 1})
    ask(router, "commit", order, {last: 1})
    ask(router, "release", order, {other: 1})
    assert ask(router, "reserve", order, {last: 1, other: 1}).status_code == 200
    assert ask(router, "commit", order, {last: 1, other: 1}).status_code == 200
    assert (counts(last), counts(other)) == ((0, 0, 1), (0, 0, 1))


def test_of_several_items_all_are_held_or_none(router: APIClient, make: Make) -> None:
    enough, short = make(5), make(1)
    answer = ask(router, "reserve", order_id(), {enough: 2, short: 2})
    assert (answer.status_code, answer.json()["code"], list(answer.json()["details"])) == (409, "out_of_stock", [short])
    assert counts(enough) == (5, 0, 0)
    assert counts(short) == (1, 0, 0)


def test_what_is_not_for_sale_or_gone_is_not_held(router: APIClient, make: Make) -> None:
    assert ask(router, "reserve", order_id(), {make(5, price=None): 1}).json()["code"] == "not_for_sale"
    assert ask(router, "reserve", order_id(), {"book_none": 1}).json()["code"] == "unknown_item"


def test_an_order_holds_one_number_of_an_item(router: APIClient, make: Make) -> None:
    item, order = make(5), order_id()
    ask(router, "reserve", order, {item: 2})
    assert ask(router, "reserve", order, {item: 3}).json()["code"] == "reserved_otherwise"


def test_a_hold_ends_when_its_time_is_up(router: APIClient, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    item, order = make(5), order_id()
    ask(router, "reserve", order, {item: 2})
    assert stock.release_expired() == 0
    now = stock.now()
    monkeypatch.setattr(stock, "now", lambda: now + stock.HOLD)
    assert stock.release_expired() == 1
    assert counts(item) == (5, 0, 0)
    answer = ask(router, "commit", order, {item: 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "hold_gone")


def test_who_asks_again_in_time_holds_longer(router: APIClient, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    item, order = make(5), order_id()
    ask(router, "reserve", order, {item: 2})
    now = stock.now()
    monkeypatch.setattr(stock, "now", lambda: now + stock.HOLD - timedelta(seconds=1))
    ask(router, "reserve", order, {item: 2})
    monkeypatch.setattr(stock, "now", lambda: now + stock.HOLD + timedelta(seconds=1))
    assert stock.release_expired() == 0
    assert counts(item) == (3, 2, 0)


@pytest.mark.parametrize("units", [1, 10, 100])
def test_of_200_buyers_as_many_get_one_as_there_are(router: APIClient, make: Make, units: int) -> None:
    item = make(units)
    codes = at_once(lambda _turn: ask(router, "reserve", order_id(), {item: 1}).status_code, 200)
    assert (codes.count(200), codes.count(409)) == (units, 200 - units)
    assert counts(item) == (0, units, 0)


def test_whatever_comes_in_any_order_and_at_once_adds_up(router: APIClient, make: Make) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance, item, orders = random.Random(seed), make(20), [order_id() for _ in range(6)]
    steps = [(chance.choice(["reserve", "release", "commit"]), chance.choice(orders)) for _ in range(120)]
    codes = at_once(lambda turn: ask(router, steps[turn][0], steps[turn][1], {item: 3}).status_code, len(steps))
    assert set(codes) <= {200, 409}
    counts(item)
    stock_log.write()
    counts(item)


def test_every_change_is_in_the_log(router: APIClient, staff: Caller, make: Make) -> None:
    item, order = make(5), order_id()
    staff.post(f"/api/books/{item}/stock/", {"change": 3, "reason": "delivery"})
    ask(router, "reserve", order, {item: 2})
    ask(router, "commit", order, {item: 2})
    entries = staff.get(f"/api/books/{item}/stock/log/").json()["results"]
    assert {(entry["kind"], entry["quantity"]) for entry in entries} == {
        ("initial", 5),
        ("adjust", 3),
        ("reserve", -2),
        ("commit", 0),
    }
    assert {entry.get("order_id") for entry in entries} == {None, order}
    assert [entry["reason"] for entry in entries if "reason" in entry] == ["delivery"]


def test_the_log_is_written_once_though_the_sweep_dies_in_between(make: Make) -> None:
    item = make(5)
    whole = stock.items().find_one({"_id": item})
    assert whole
    stock_log._write_down({item: whole["changes"]})  # and no further
    stock_log.write()
    assert [entry["kind"] for entry in stock_log.history(item_id=item)] == ["initial"]
    emptied = stock.items().find_one({"_id": item})
    assert emptied
    assert (emptied["changes"], emptied["unlogged"]) == ({}, 0)


def test_the_log_outlives_the_item(staff: Caller, make: Make) -> None:
    item = make(5)
    assert staff.delete(f"/api/books/{item}/").status_code == 204
    assert [entry["kind"] for entry in stock_log.history(item_id=item)] == ["initial"]


def test_only_staff_read_the_log(ada: Caller, make: Make) -> None:
    assert ada.get(f"/api/books/{make(1)}/stock/log/").status_code == 403


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 10**9, "x"])
def test_a_number_that_is_none_is_refused(router: APIClient, make: Make, quantity: Any) -> None:
    assert ask(router, "reserve", order_id(), {make(5): quantity}).status_code == 400
