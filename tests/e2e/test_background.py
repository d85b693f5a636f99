"""Background work by workers, and still right when Redis, or the workers, are gone."""

import os
import signal
from collections.abc import Iterator

import pytest

from shopkit import topology
from tests.e2e.conftest import started
from tests.e2e.test_checkout import Shop, card
from tests.fleet import Fleet
from tests.people import mails_to, new_email
from tests.waiting import at_most, wait_for

GOOD = "4111111111111111"
AFTER_PAID = {"paid", "fulfilling", "shipped", "delivered"}


@pytest.fixture(scope="module")
def own() -> Iterator[Fleet]:
    """With a Redis of its own, to do with as these tests please."""
    with started("polyshop-background-", offset=3600, environment={"REDIS_URL": ""}) as fleet:
        wait_for(lambda: "silent" not in fleet.runner("status").stdout, every=1)
        yield fleet


def is_done(shop: Shop, order: str) -> bool:
    return shop.order(order)["status"] in AFTER_PAID


def wait_at_work(fleet: Fleet, name: str) -> None:
    def at_work() -> bool:
        return any(name in line and "at work" in line for line in fleet.runner("status").stdout.splitlines())

    wait_for(at_work, every=1)


def test_every_worker_is_at_work(own: Fleet) -> None:
    lines = [line for line in own.runner("status").stdout.splitlines() if "_worker " in line]
    assert {line.split()[0] for line in lines} == {
        f"{each.name}_worker" for each in topology.SERVICES.values() if each.worker
    }
    assert all("at work" in line for line in lines), lines


def test_workers_stand_back_for_who_answers_customers(own: Fleet) -> None:
    worker, service = (os.getpriority(os.PRIO_PROCESS, own.pid(f"order_service{end}")) for end in ("_worker", ""))
    assert worker > service


def test_an_order_is_carried_out_while_its_worker_hangs(own: Fleet) -> None:
    shop = Shop(own)
    # all the way, so that the worker is idle when it is stopped: in a transaction it would keep SQLite's one lock
    shop.becomes(shop.place(card(GOOD)), "delivered")
    with own.hanging("order_service_worker"):
        waiting = shop.place(card(GOOD))
        wait_for(lambda: is_done(shop, waiting))


def test_a_paid_order_is_confirmed_by_one_mail(own: Fleet) -> None:
    shop, email = Shop(own), new_email()
    answer = shop.ada("POST", "/api/orders/", {**shop.wish(card(GOOD)), "email": email})
    assert answer.status_code == 201
    wait_for(lambda: len(list(mails_to(own, email))) >= 1)
    shop.becomes(answer.json()["id"], "delivered")
    wait_for(lambda: len(list(mails_to(own, email))) == 2)  # and that it was sent
    assert all(answer.json()["id"] in text for text in mails_to(own, email))


def test_a_worker_that_is_killed_is_started_again_and_nothing_is_lost(own: Fleet) -> None:
    shop, before = Shop(own), own.pid("order_service_worker")
    orders = [shop.place(card(GOOD)) for _ in range(2)]
    os.kill(before, signal.SIGKILL)
    orders.append(shop.place(card(GOOD)))
    wait_for(lambda: own.pid("order_service_worker") != before, seconds=at_most(3))
    # one that it was at is taken up again once its lease has run out
    wait_for(lambda: all(is_done(shop, order) for order in orders))
    wait_at_work(own, "order_service_worker")


def test_orders_are_placed_and_end_right_while_redis_hangs_and_after_it_is_killed(own: Fleet) -> None:
    shop = Shop(own)
    with own.hanging("redis"):
        hanging = shop.place(card(GOOD))
        wait_for(lambda: is_done(shop, hanging))
    os.kill(own.pid("redis"), signal.SIGKILL)
    killed = shop.place(card(GOOD))
    wait_for(lambda: is_done(shop, killed))
    wait_at_work(own, "order_service_worker")
    last = shop.place(card(GOOD))
    wait_for(lambda: is_done(shop, last))
    assert shop.stock == 2


def test_the_workers_end_with_the_fleet(own: Fleet) -> None:
    worker = own.pid("paying_service_worker")
    assert own.interrupt() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
