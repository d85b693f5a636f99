"""Moves of one customer at once, and moves while they write, log in, or have themselves forgotten."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
import requests

from tests.e2e.conftest import started
from tests.e2e.test_moves_killed import SECURE, SERVICES
from tests.fleet import Fleet
from tests.movers import TYPES, Mover, listed, mover, stock_up
from tests.people import (
    ADDRESS,
    Person,
    cart_with,
    guest,
    log_in,
    mailed_token,
    new_email,
    order,
    register,
    registered,
    staff,
)
from tests.waiting import wait_for

T = TypeVar("T")
WAIT = (409, "move_in_progress")


@pytest.fixture(scope="module")
def own() -> Iterator[Fleet]:
    with started("polyshop-at-once-", offset=2300, environment=SECURE, services=SERVICES) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def boss(own: Fleet) -> Person:
    grace = staff(own)
    stock_up(grace)
    return grace


def at_once(*acts: Callable[[], T]) -> list[T]:
    """What each gives; none begins before all can."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        ready.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def said(answer: requests.Response | None) -> tuple[int, str]:
    assert answer is not None
    body = answer.json() if answer.content else {}
    return answer.status_code, body.get("code") or body.get("customer_type", "")


def moves_done(own: Fleet) -> int:
    return sum(line.get("event") == "move" and line.get("step") == "settled" for line in own.log("customer_router"))


def in_one_place(them: Mover) -> str:
    [place] = them.places()
    assert them.statuses().count(200) == 1
    assert [kind for kind in TYPES if them.id in listed(them.boss, kind)] == [place]
    assert them.everything(place)[1:] == them.before[1:]
    return place


def test_of_eight_upgrades_at_once_each_is_told_yes_or_wait_and_one_is_made(own: Fleet, boss: Person) -> None:
    for _ in range(4):
        them, before = mover(boss, "registered"), moves_done(own)
        answers = Counter(said(answer) for answer in at_once(*[them.move] * 8))
        assert set(answers) <= {(200, "vip"), WAIT}
        assert (200, "vip") in answers
        assert in_one_place(them) == "vip"
        wait_for(lambda before=before: moves_done(own) == before + 1)


def test_of_an_upgrade_and_a_downgrade_at_once_each_is_made_or_told_to_wait(boss: Person) -> None:
    for kind in ("registered", "vip"):
        there = mover(boss, kind)
        back = Mover(boss, there.target, there.id)
        answers = {said(answer) for answer in at_once(*[there.move, back.move] * 4)}
        assert answers <= {(200, "vip"), (200, "registered"), WAIT}
        assert in_one_place(there) in ("registered", "vip")


def test_what_was_acknowledged_while_they_moved_is_not_lost(own: Fleet, boss: Person) -> None:
    ada = registered(own)
    there, back = Mover(boss, "registered", ada.id), Mover(boss, "vip", ada.id)
    moving = threading.Event()
    kept: dict[str, list[str]] = {"addresses": [], "views": [], "orders": [], "names": []}

    def write(what: str, act: Callable[[str], requests.Response], name: Callable[[Any, str], str]) -> None:
        for number in range(90):  # of which a page shows all
            if moving.is_set():
                return
            answer = act(f"{what}-{number}")
            assert answer.status_code in (200, 201, 409), answer.text
            if answer.ok:
                kept[what].append(name(answer.json(), f"{what}-{number}"))

    def place(_given: str) -> requests.Response:
        wish = {"shipping_address": ADDRESS, "shipping_method": "standard"}
        return ada.post("/api/orders/", {"cart_id": cart_with(ada)["id"], **wish})

    def move() -> None:
        try:
            for each in (there, back) * 5:
                wait_for(lambda each=each: said(each.move()) == (200, each.target))
        finally:
            moving.set()

    me, given = "/api/customers/me/", lambda _body, given: given
    at_once(
        lambda: write("addresses", lambda given: ada.post(f"{me}addresses/", {**ADDRESS, "line1": given}), given),
        lambda: write("views", lambda given: ada.post(f"{me}history/", {"item_id": given}), given),
        lambda: write("names", lambda given: ada.call("PATCH", me, {"first_name": given}), given),
        lambda: write("orders", place, lambda body, _given: str(body["id"])),
        move,
    )
    assert all(kept.values())
    assert ada.get(me).json()["first_name"] == kept["names"][-1]
    addresses = there.everything("registered")[2]
    assert sorted(row["line1"] for row in addresses) == sorted(kept["addresses"])
    viewed = [row["item_id"] for row in ada.get(f"{me}history/").json()["viewed_items"]]
    assert viewed == kept["views"][::-1][:100]
    assert {row["id"] for row in _all(ada, "/api/orders/")} == set(kept["orders"])
    told = lambda: {row["order_id"] for row in ada.get(f"{me}history/").json()["orders"]} == set(kept["orders"])  # noqa: E731
    wait_for(told)


def _all(person: Person, path: str) -> list[Any]:
    return list(person.get(f"{path}?page_size=100").json()["results"])


def test_a_mailed_token_used_by_two_at_once_makes_one_customer(own: Fleet, boss: Person) -> None:
    for _ in range(3):
        them = mover(boss, "guest")
        answers = [said(answer) for answer in at_once(*[them.move] * 4)]
        assert {code for _status, code in answers} <= {"", "move_in_progress", "invalid_token"}
        assert (200, "") in answers
        assert in_one_place(them) == "registered"
        assert log_in(own, them.email).id == them.id


@pytest.mark.parametrize("_time", range(3))
def test_a_guest_who_logs_in_twice_and_at_once_has_their_lines_summed_once(
    own: Fleet, boss: Person, _time: int
) -> None:
    email = new_email()
    ada = registered(own, email)
    kept, visitor = cart_with(ada, 1), guest(own)
    theirs, bought = cart_with(visitor, 2), order(visitor)
    for _ in range(2):
        at_once(*[lambda: log_in(own, email, headers=visitor.bearer)] * 4)
    wait_for(lambda: ada.get(f"/api/carts/{theirs['id']}/").json().get("id") == kept["id"])
    assert [line["quantity"] for line in ada.get(f"/api/carts/{kept['id']}/").json()["items"]] == [3]
    wait_for(lambda: ada.get(f"/api/orders/{bought['id']}/").status_code == 200)
    for who, orders in ((ada, [bought["id"]]), (visitor, [])):  # they count where they are
        told = lambda who=who: [row["order_id"] for row in who.get("/api/customers/me/history/").json()["orders"]]  # noqa: E731
        wait_for(lambda orders=orders, told=told: told() == orders)


def test_a_guest_who_registered_keeps_orders_from_who_logs_in_with_their_old_token(own: Fleet, boss: Person) -> None:
    other, visitor, email = new_email(), guest(own), new_email()
    registered(own, other)
    bought = order(visitor)
    ada = registered(own, email, by=visitor)
    bob = log_in(own, other, headers=visitor.bearer)
    after = order(bob)  # what is told of a sign-in was put before, and is delivered in this order
    wait_for(lambda: bob.get("/api/customers/me/history/").json()["orders"])
    assert [row["id"] for row in _all(bob, "/api/orders/")] == [after["id"]]
    assert [row["id"] for row in _all(ada, "/api/orders/")] == [bought["id"]]


def test_of_two_registrations_of_one_guest_the_second_takes_nothing_from_the_first(own: Fleet, boss: Person) -> None:
    visitor, first, second = guest(own), new_email(), new_email()
    bought = order(visitor)
    register(own, first, by=visitor)
    register(own, second, by=visitor)
    ids = []
    for email in (first, second):
        answer = own.call("POST", "/api/auth/verify-email/", json={"token": mailed_token(own, email)})
        ids.append(answer.json()["customer"]["id"])
    assert ids[0] == visitor.id != ids[1]
    assert [row["id"] for row in _all(log_in(own, first), "/api/orders/")] == [bought["id"]]
    assert _all(log_in(own, second), "/api/orders/") == []


def test_who_has_themselves_forgotten_while_they_move_is_forgotten_or_told_to_wait(boss: Person) -> None:
    for number in range(8):
        them = mover(boss, ("registered", "vip")[number % 2])
        forget = lambda them=them: boss.call("DELETE", f"/api/{them.kind}-customer/{them.id}/")  # noqa: E731
        moved, forgotten = (said(answer) for answer in at_once(them.move, forget))
        assert moved in ((200, them.target), (404, "not_found"), WAIT)
        assert forgotten in ((204, ""), (409, "moving"))
        if forgotten[0] == 409:
            assert in_one_place(them) == them.target
        else:
            assert (them.places(), {200} & set(them.statuses())) == ([], set())
            assert not any(them.id in listed(boss, kind) for kind in TYPES)
