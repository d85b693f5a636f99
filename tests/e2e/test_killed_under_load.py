"""Many buyers at once, and twenty times kill -9 while they buy: nothing is sold or charged twice, or lost.

`SHOP_KILL_SEED` repeats the choice of whom to kill and what to buy; each run says which it was.
"""

import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.buyers import GOOD, Asked, Buyer, Purchase, make_item, person, rows, sold
from tests.e2e.conftest import started
from tests.e2e.test_checkout import wait_for_clean_books
from tests.fleet import Fleet
from tests.killing import Killer
from tests.people import ADDRESS
from tests.waiting import wait_for

OFFSET = 3900
BUYERS, SCARCE, PLENTY = 12, 25, 10_000
ENDS_WITHIN = 120.0  # seconds from the last kill
UNDONE = ("cancelled", "expired", "payment_failed")
SOLD = ("fulfilling", "shipped", "delivered", "refunded")
ENDS = (*UNDONE, "delivered", "refunded")
OPEN = ("pending", "requires_action", "authorised")


@pytest.fixture(scope="module")
def own() -> Iterator[Fleet]:
    environment = {"SHOP_RATE_LIMIT": "off", "SHOP_AUTH_RATE_LIMIT": "off"}
    with started("polyshop-load-", offset=OFFSET, environment=environment) as fleet:
        yield fleet


@pytest.mark.parametrize("stock", [1, 10, 100])
def test_of_200_buyers_as_many_get_one_as_there_are(own: Fleet, stock: int) -> None:
    book = make_item(own, "book", stock)

    def fill(number: int) -> Asked:
        headers = person(f"one-of-200-{number}")
        cart = own.call("POST", "/api/carts/", headers=headers).json()["id"]
        line = {"item_id": book, "quantity": 1}
        assert own.call("POST", f"/api/carts/{cart}/items/", json=line, headers=headers).status_code == 201
        payment = {"provider": "simulated", "method": "card", "token": GOOD}
        wish = {"cart_id": cart, "shipping_address": ADDRESS, "shipping_method": "standard", "payment": payment}
        return Asked(own, "/api/orders/", wish, headers)

    with ThreadPoolExecutor(32) as pool:
        asked = list(pool.map(fill, range(200)))
    with ThreadPoolExecutor(200) as pool:  # who was answered too late asks again, with the same key
        wait_for(lambda: all(pool.map(Asked.insist, [each for each in asked if each.answer is None])))
    assert {each.told["code"] for each in asked if each.status != 201} <= {"out_of_stock"}
    placed = {each.told["id"] for each in asked if each.status == 201}

    statuses = [ended_at(own, order) for order in placed]
    assert sum(status in SOLD for status in statuses) == stock
    assert own.get(f"/api/books/{book}/", at="book_service").json()["stock"] == 0
    assert sum(captured(own, order) for order in placed) == stock
    wait_for_clean_books(own, seconds=ENDS_WITHIN)


def ended_at(fleet: Fleet, order: str) -> str:
    """Where the order is, once it is paid and shipped, or undone."""
    now: list[str] = []

    def has_ended() -> bool:
        answer = fleet.get(f"/api/orders/{order}/")
        assert answer.ok or answer.status_code in (503, 504), answer.text  # while there is more to do than is done
        now[:] = [answer.json()["status"]] if answer.ok else []
        return bool(set(now) & {*UNDONE, *SOLD})

    wait_for(has_ended, seconds=ENDS_WITHIN)
    return now[0]


def captured(fleet: Fleet, order: str) -> int:
    """How many of the order's payments were."""
    found = fleet.get(f"/api/payments/?order_id={order}").json()["results"]
    return [payment["status"] for payment in found].count("captured")


def test_nothing_is_lost_and_every_order_ends_while_twenty_processes_are_killed(own: Fleet) -> None:
    seed = int(os.environ.get("SHOP_KILL_SEED") or random.SystemRandom().randrange(10**6))
    print(f"SHOP_KILL_SEED={seed}")
    dice = random.Random(seed)
    stock = {make_item(own, "book", PLENTY): PLENTY, make_item(own, "clothes", PLENTY): PLENTY}
    stock |= {make_item(own, "book", SCARCE): SCARCE, make_item(own, "clothes", SCARCE): SCARCE}
    names = [f"{uuid.UUID(int=dice.getrandbits(128))}" for _ in range(BUYERS)]
    buyers = [Buyer(own, name, list(stock), random.Random(dice.random())) for name in names]
    kill_while_they_buy(Killer(own, dice), buyers, dice)
    last = time.monotonic()
    settle(buyers, last)
    orders = {key: row for buyer in buyers for key, row in ended(buyer, last).items()}
    print(f"{Counter(row['status'] for row in orders.values())} after {time.monotonic() - last:.1f} s")
    wait_for_clean_books(own, seconds=left(last))
    print(f"the audit is clean after {time.monotonic() - last:.1f} s")
    orders = {key: row for buyer in buyers for key, row in buyer.orders().items()}  # with what came after the end
    check_acknowledged([purchase for buyer in buyers for purchase in buyer.purchases], orders)
    check_stock(own, stock, list(orders.values()))
    check_payments(own, orders)
    for order in orders.values():
        wait_for(lambda cart=order["cart_id"]: cart_is_closed(own, cart), seconds=left(last))


def kill_while_they_buy(killer: Killer, buyers: list[Buyer], dice: random.Random) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(len(buyers)) as pool:
        buying = [pool.submit(buyer.buy_until, stop) for buyer in buyers]
        try:
            for name, kill in killer.plan():
                wait_for_another(buyers)
                time.sleep(dice.uniform(0, 0.5))
                print(f"kill -9 {name}")
                kill()
        finally:
            stop.set()
    for each in buying:
        each.result()


def wait_for_another(buyers: list[Buyer]) -> None:
    """Until one more order is placed, so that whoever is killed is at work; but not for long."""
    placed = lambda: sum(purchase.order_id is not None for buyer in buyers for purchase in [*buyer.purchases])  # noqa: E731
    before = placed()
    with suppress(TimeoutError):
        wait_for(lambda: placed() > before, seconds=2)


def left(last: float) -> float:
    return max(0.0, last + ENDS_WITHIN - time.monotonic())


def settle(buyers: list[Buyer], last: float) -> None:
    """Whoever was not answered asks again, until all are."""
    asked = [each for buyer in buyers for purchase in buyer.purchases for each in purchase.asked]
    waiting = sum(each.answer is None for each in asked)
    print(f"{len(asked)} asked, {sum(each.sent for each in asked)} times; {waiting} still wait for an answer")
    with ThreadPoolExecutor(len(buyers)) as pool:
        wait_for(
            lambda: all(pool.map(Asked.insist, [each for each in asked if each.answer is None])), seconds=left(last)
        )
    print(f"all are answered after {time.monotonic() - last:.1f} s")


def ended(buyer: Buyer, last: float) -> dict[str, Any]:
    """The buyer's orders, once each has ended, or waits for the buyer and nobody else."""
    orders: dict[str, Any] = {}

    def all_have_ended() -> bool:
        with suppress(requests.RequestException):
            orders.update(buyer.orders())
            return all(has_ended(buyer, order) for order in orders.values())
        return False

    with suppress(TimeoutError):
        wait_for(all_have_ended, seconds=left(last))
    assert [order for order in orders.values() if not has_ended(buyer, order)] == []
    return orders


def has_ended(buyer: Buyer, order: Any) -> bool:
    return order["status"] in ENDS or (order["status"] == "reserved" and waits_for(buyer, order))


def waits_for(buyer: Buyer, order: Any) -> bool:
    payment = buyer.fleet.get(f"/api/payments/{order['payment_id']}/", headers=buyer.headers)
    payment.raise_for_status()
    return bool(payment.json()["status"] == "requires_action")


def cart_is_closed(fleet: Fleet, cart: str) -> bool:
    """Whether it has been told that it is an order."""
    nothing = fleet.call("DELETE", f"/api/carts/{cart}/items/{uuid.uuid4()}/")
    return bool(nothing.json()["code"] == "cart_closed")


def check_acknowledged(purchases: list[Purchase], orders: dict[str, Any]) -> None:
    """What a buyer was told is so, and there is nothing that nobody was told of."""
    told = [purchase for purchase in purchases if purchase.order_id]
    assert Counter(purchase.order_id for purchase in told) == Counter(orders.keys())
    for purchase in told:
        assert purchase.order_id
        assert purchase.order
        order = orders[purchase.order_id]
        assert order["cart_id"] == purchase.cart
        assert {line["item_id"]: line["quantity"] for line in order["items"]} == purchase.lines
        if purchase.order.status == 201:
            first = purchase.order.told
            assert [order[name] for name in ("total", "payment_id")] == [first["total"], first["payment_id"]]
        if purchase.cancel and purchase.cancel.status == 200:
            assert order["status"] in UNDONE, order
        if purchase.confirmed:
            assert order["status"] != "reserved", order
        if purchase.refund and purchase.refund.status == 200:
            assert order["refunded"] == "1.00", order


def check_stock(fleet: Fleet, stock: dict[str, int], orders: list[Any]) -> None:
    """What is free is what there was without what the orders bought, or hold."""
    bought = sold(orders, UNDONE)
    for item, was in stock.items():
        assert fleet.get(f"/api/items/{item}/", at="items_router").json()["stock"] == was - bought[item], item


def check_payments(fleet: Fleet, orders: dict[str, Any]) -> None:
    """Each order that was bought is paid for by one payment, whole; the others by none, and none stays open."""
    paid: Counter[str] = Counter()
    for row in rows(fleet, "/api/payments/", {}):
        if row["order_id"] in orders and orders[row["order_id"]]["status"] in ENDS:
            assert row["status"] not in OPEN, row
        if row["captured"] != row["refunded"]:
            paid[row["order_id"]] += 1
            assert row["captured"] == orders[row["order_id"]]["total"] if row["order_id"] in orders else True
    for key, order in orders.items():
        assert paid[key] == (order["status"] in SOLD), order
