"""Buyers who place whole orders through the gateway, as good clients do, and who remember what they were told."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.fleet import Fleet
from tests.people import ADDRESS
from tests.waiting import wait_for

GOOD, DECLINED, LATE, ASKS = "4111111111111111", "4000000000000002", "4000000000000341", "4000002500003155"
CARDS = (GOOD,) * 6 + (DECLINED, LATE, ASKS, ASKS)
PATIENCE = 2.0  # seconds that a buyer goes on asking, before they do something else and come back to it at the end
NOT_AN_ANSWER = ("in_progress", "throttled")


def make_item(fleet: Fleet, item_type: str, stock: int) -> str:
    body: dict[str, Any] = {"type": item_type, "name": "Wanted", "price": "12.50", "stock": stock}
    body |= {"author": "A"} if item_type == "book" else {"size": "M", "color": "red"}
    answer = fleet.call("POST", "/api/items/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def person(name: str) -> dict[str, str]:
    return {"X-User-ID": name, "X-Customer-Type": "registered"}


@dataclass
class Asked:
    """A request that is sent again, with its key, until it is answered: 5xx and `in_progress` are no answers."""

    fleet: Fleet
    path: str
    json: object = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: requests.Response | None = None
    sent: int = 0

    def send(self) -> bool:
        """Once; whether it is answered."""
        self.sent += 1
        headers = {**self.headers, "Idempotency-Key": self.key}
        with suppress(requests.RequestException):
            answer = self.fleet.call("POST", self.path, json=self.json, headers=headers)
            if answer.status_code < 500 and answer.json().get("code") not in NOT_AN_ANSWER:
                self.answer = answer
        return self.answer is not None

    def insist(self) -> bool:
        """For a while; whether it is answered."""
        with suppress(TimeoutError):
            wait_for(self.send, seconds=PATIENCE)
        return self.answer is not None

    @property
    def status(self) -> int:
        assert self.answer is not None, self
        return self.answer.status_code

    @property
    def told(self) -> Any:
        assert self.answer is not None, self
        return self.answer.json()


@dataclass
class Purchase:
    """One cart, what was put into it, and what was asked for with it; `confirmed` as the provider has acknowledged."""

    buyer: str
    cart: str
    lines: dict[str, int]
    order: Asked | None = None
    cancel: Asked | None = None
    refund: Asked | None = None
    confirmed: bool = False

    @property
    def asked(self) -> Iterator[Asked]:
        yield from (each for each in (self.order, self.cancel, self.refund) if each)

    @property
    def order_id(self) -> str | None:
        """The order that it became; who is told that the cart has become one already, is told which."""
        if self.order is None or self.order.answer is None:
            return None
        if self.order.status == 201:
            return str(self.order.told["id"])
        told = self.order.told
        return str(told["details"]["order_id"][0]) if told["code"] == "already_ordered" else None


class Buyer:
    """Buys until told to stop: one to three of some items, by some card, and changes their mind now and then."""

    def __init__(self, fleet: Fleet, name: str, items: Sequence[str], dice: random.Random) -> None:
        self.fleet, self.name, self.items, self.dice = fleet, name, items, dice
        self.headers = person(name)
        self.purchases: list[Purchase] = []
        self.later: list[Purchase] = []

    def buy_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            with suppress(requests.RequestException):  # a cart that is lost half way is left behind
                self.buy()

    def buy(self) -> None:
        purchase = self.cart()
        if purchase is None:
            return
        wish = {"cart_id": purchase.cart, "shipping_address": ADDRESS, "shipping_method": "standard"}
        token = self.dice.choice(CARDS)
        payment = {"provider": "simulated", "method": "card", "token": token}
        purchase.order = Asked(self.fleet, "/api/orders/", {**wish, "payment": payment}, self.headers)
        if purchase.order.insist() and purchase.order_id:
            self.change_mind(purchase, token)
        for each in self.later[:-2]:  # by now they are reserved, or captured
            self.later.remove(each)
            self.come_back(each)

    def cart(self) -> Purchase | None:
        made = self.post("/api/carts/")
        if made.status_code != 201:
            return None
        purchase = Purchase(self.name, made.json()["id"], {})
        for item in self.dice.sample(self.items, self.dice.randint(1, 2)):
            line = {"item_id": item, "quantity": self.dice.randint(1, 2)}
            if self.post(f"/api/carts/{purchase.cart}/items/", line).status_code != 201:
                return None
            purchase.lines[item] = line["quantity"]
            if purchase not in self.purchases:
                self.purchases.append(purchase)
        return purchase

    def change_mind(self, purchase: Purchase, token: str) -> None:
        if self.dice.random() < 0.15:
            purchase.cancel = Asked(self.fleet, f"/api/orders/{purchase.order_id}/cancel/", headers=self.headers)
            purchase.cancel.insist()
        elif token in (ASKS, GOOD) and self.dice.random() < 0.5:
            self.later.append(purchase)

    def come_back(self, purchase: Purchase) -> None:
        """Confirms a payment that waits for that; has staff give back some of one that was captured."""
        answer = self.fleet.get(f"/api/payments/?order_id={purchase.order_id}", headers=self.headers)
        for row in answer.json()["results"] if answer.ok else []:
            if row["status"] == "requires_action":
                told = self.post(f"/api/payments/{row['id']}/simulate/", {"outcome": "confirm"})
                purchase.confirmed |= told.status_code == 200
            elif row["status"] == "captured":
                purchase.refund = Asked(self.fleet, f"/api/payments/{row['id']}/refund/", {"amount": "1.00"})
                purchase.refund.insist()

    def post(self, path: str, json: object = None) -> requests.Response:
        return self.fleet.call("POST", path, json=json, headers=self.headers)

    def orders(self) -> dict[str, Any]:
        """All of theirs, by id."""
        return {row["id"]: row for row in rows(self.fleet, "/api/orders/", self.headers)}


def rows(fleet: Fleet, path: str, headers: dict[str, str]) -> list[Any]:
    """Every row of a list, page by page; `RequestException` while it can't be had."""
    found: list[Any] = []
    page = 1
    while True:
        answer = fleet.get(f"{path}?page_size=100&ordering=created_at&page={page}", headers=headers)
        answer.raise_for_status()
        found += answer.json()["results"]
        if not answer.json()["next"]:
            return found
        page += 1


def sold(orders: Sequence[Any], undone: Sequence[str]) -> Counter[str]:
    """How many of each item these orders bought."""
    counts: Counter[str] = Counter()
    for order in orders:
        for line in order["items"] if order["status"] not in undone else ():
            counts[line["item_id"]] += line["quantity"]
    return counts
