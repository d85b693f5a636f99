"""Kill -9 at each step of a move: one customer, one place, nothing lost, and the move ends by itself."""

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from shopkit import topology
from tests.e2e.conftest import started
from tests.fleet import Fleet
from tests.gates import Gates
from tests.movers import TYPES, Mover, each_point, listed, mover, stock_up
from tests.people import STAFF, Person, log_in, staff
from tests.stores import listens
from tests.waiting import wait_for

OFFSET = 2200
SERVICES = (
    "gateway",
    "customer_router",
    "cart_service",
    "order_service",
    "items_router",
    "book_service",
    "paying_service",
    "shipping_service",
)
SERVICES += tuple(service.name for service in topology.by_customer_type().values())
SECURE = {"SHOP_ACCESS": "secure", "SHOP_RATE_LIMIT": "off", "SHOP_AUTH_RATE_LIMIT": "off", **STAFF}
UNDOING = ("release", "refuse")


@pytest.fixture(scope="module")
def gates() -> Gates:
    return Gates()


@pytest.fixture(scope="module")
def own(gates: Gates) -> Iterator[Fleet]:
    """One in which the way to the customer services is through the gates."""
    with (
        gates.running(OFFSET) as ways,
        started("polyshop-killed-", offset=OFFSET, environment={**SECURE, **ways}, services=SERVICES) as fleet,
    ):
        yield fleet


@pytest.fixture(scope="module")
def boss(own: Fleet) -> Person:
    grace = staff(own)
    stock_up(grace)
    return grace


@dataclass
class Stopped:
    """A customer whose move is stopped at one point; `place` is where it ends once it is carried on with."""

    mover: Mover
    step: str
    after: bool
    place: str


def kill(own: Fleet, name: str) -> None:
    """The leader and all its workers at once; they are gone when this returns."""
    leader = own.pid(name)
    os.killpg(leader, signal.SIGKILL)
    wait_for(lambda: own.pid(name) != leader or not listens(own.port(name)))


@contextlib.contextmanager
def stopped(gates: Gates, movers: list[tuple[Mover, str, bool]]) -> Iterator[list[Stopped]]:
    """All these moves have begun, and each has come to its point."""
    gates.close()
    for each, step, after in movers:
        gates.stop(each.id, step, after=after)
        if step in UNDOING:
            gates.refuse(each.id, "arrive")
    with ThreadPoolExecutor(len(movers)) as pool:
        asked = [pool.submit(each.move) for each, _step, _after in movers]
        gates.wait_reached()
        yield [
            Stopped(each, step, after, each.kind if step in UNDOING else each.target) for each, step, after in movers
        ]
    for future in asked:
        future.result()


def made(boss: Person, points: list[tuple[str, str, bool]]) -> list[tuple[Mover, str, bool]]:
    """One for each point; of those who were no guests, the ones who are stopped after a step have accounts."""
    with ThreadPoolExecutor(6) as pool:
        movers = pool.map(lambda point: mover(boss, point[0], account=point[2]), points)
        return [(each, step, after) for each, (_kind, step, after) in zip(movers, points, strict=True)]


def at_most_one_place(boss: Person, all_stopped: list[Stopped], *, follow: bool) -> None:
    everywhere = [customer for kind in TYPES for customer in listed(boss, kind)]
    assert len(everywhere) == len(set(everywhere))
    for number, each in enumerate(all_stopped):
        statuses = each.mover.statuses()
        assert set(statuses) <= {200, 307, 404}, (each, statuses)
        assert statuses.count(200) <= 1, each
        if follow and number % 2:  # who brings a ticket settles, so the others are left as they are
            assert len(each.mover.places()) == 1, each


def all_is_well(boss: Person, all_stopped: list[Stopped]) -> None:
    """Each is in the one place where their move was to end, with everything."""
    lists = {kind: listed(boss, kind) for kind in TYPES}
    for each in all_stopped:
        them = each.mover
        assert (them.places(), them.statuses().count(200)) == ([each.place], 1), each
        assert [kind for kind in TYPES if them.id in lists[kind]] == [each.place], each
        before, after = them.before, them.everything(each.place)
        assert {**after[0], **before[0]} == after[0], each
        assert after[1:] == (before[1], after[2] if them.kind == "guest" else before[2]), each
        if each.place == them.kind == "vip":
            assert them.points() == them.ledger, each
        if them.cart:
            account_is_well(them, each.place)


def account_is_well(them: Mover, place: str) -> None:
    """Who logs in is of the type of that place, with their orders and their cart."""
    person = log_in(them.boss.fleet, them.email)
    me = person.get("/api/customers/me/").json()
    assert (person.id, person.session["customer"]["customer_type"]) == (them.id, place)
    assert (me["id"], me["customer_type"], me["email"]) == (them.id, place, them.email)
    assert [row["id"] for row in person.get("/api/orders/").json()["results"]] == them.orders != []
    cart = person.get(f"/api/carts/{them.cart}/").json()
    assert (cart["id"], [line["quantity"] for line in cart["items"]]) == (them.cart, [1])


def points_have_waited(boss: Person, all_stopped: list[Stopped]) -> None:
    """VIPs who moved, and come back, find them as they were."""
    for each in all_stopped:
        if (them := each.mover).kind == "vip" != each.place:
            back = Mover(boss, each.place, them.id).move()
            assert back is not None
            assert back.status_code == 200, back.text
            assert them.points() == them.ledger, each


def others_go_on(boss: Person, bystander: Mover) -> None:
    answer = bystander.move()
    assert answer is not None
    assert answer.status_code == 200, answer.text
    assert bystander.places() == [bystander.target]
    bystander.kind = bystander.target


def test_wherever_the_router_dies_the_move_ends_by_itself(own: Fleet, gates: Gates, boss: Person) -> None:
    bystander = mover(boss, "registered")
    with stopped(gates, made(boss, list(each_point(TYPES)))) as moves:
        others_go_on(boss, bystander)
        kill(own, "customer_router")
        at_most_one_place(boss, moves, follow=True)
        gates.open()
    own.wait_ready("customer_router")
    others_go_on(boss, bystander)
    again = moves[-1].mover.move()
    assert again is not None
    assert (again.status_code, again.json()["code"]) == (409, "move_in_progress")
    at_most_one_place(boss, moves, follow=False)
    wait_for(lambda: gates.ended >= {each.mover.id for each in moves})
    all_is_well(boss, moves)
    assert max(gates.again()) < 500  # late calls of every step
    all_is_well(boss, moves)
    gates.close()
    for each in moves:
        if each.mover.kind == "guest":
            if each.place == "guest":  # their token is good another time
                verified = each.mover.move()
                assert verified is not None
                assert verified.status_code == 200, verified.text
            them = log_in(own, each.mover.email)
            assert them.id == each.mover.id
            assert [row["id"] for row in them.get("/api/orders/").json()["results"]] == each.mover.orders
    points_have_waited(boss, moves)


@pytest.mark.parametrize("kind", TYPES)
def test_wherever_a_customer_service_dies_the_move_ends_by_itself(
    own: Fleet, gates: Gates, boss: Person, kind: str
) -> None:
    name = topology.by_customer_type()[kind].name
    with stopped(gates, made(boss, list(each_point(TYPES, at=kind)))) as moves:
        kill(own, name)
        gates.open()
    for each in moves:
        if each.step in ("hold", "arrive") or (each.step, each.after) == ("leave", False):
            each.place = each.mover.kind
    own.wait_ready(name)
    at_most_one_place(boss, moves, follow=False)
    wait_for(lambda: gates.ended >= {each.mover.id for each in moves})
    all_is_well(boss, moves)
    assert max(gates.again()) < 500
    all_is_well(boss, moves)
    gates.close()
    points_have_waited(boss, moves)
