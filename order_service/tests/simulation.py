"""A shop by a seed: 50 orders, three processes of order_service, and all that can go wrong between them.

The code is the real one, on a real database; clocks, ids, peers and the network are simulated. `Shop(seed).run()` ends
with what the auditor would ask, once nothing has gone wrong for two minutes.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django.utils.timezone
from django.db import connection

from order_service import audit, clients, mails, saga, services
from order_service.models import Order, OrderEvent, OrderLine, Saga
from order_service.tests.buyers import Buyer
from order_service.tests.fibers import BEGINNING, Loop, Process
from order_service.tests.network import Faults, Network
from order_service.tests.peers import CARDS, HOLD, PRICES, Item, Peers
from shopkit import database_time, http
from shopkit.errors import ShopError
from shopkit.idempotency.models import Answer
from shopkit.outbox import delivery
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

ORDERS = 50
SHOPPING = 60.0  # seconds in which all orders are placed
TROUBLE = 120.0  # seconds in which things go wrong
PAY_WITHIN = 100.0
GRACE = 120.0  # seconds after the last fault until all is quiet
PROCESSES = 3
SKEW = 300.0
WAYS = ["picked_up", "in_transit", "out_for_delivery", "delivered"]
EVERYTHING = (OrderEvent, OrderLine, Saga, Order, Message, Answer)


class Shop:
    """One seed's shop. `loop.history` tells all that happened."""

    def __init__(self, seed: int, orders: int = ORDERS) -> None:
        self.loop = Loop(seed)
        random = self.loop.random
        self.faults = Faults(
            random.choice([0.05, 0.15, 0.3]), random.choice([0, 0.002, 0.01]), random.uniform(SHOPPING, TROUBLE)
        )
        self.peers = Peers(now=lambda: self.loop.now, tell=self.tell, ready_after=lambda: random.uniform(1, 40))
        self.network = Network(self.loop, self.peers, self.faults)
        units = {item: random.choice([15, 60, 400]) for item in PRICES}
        self.peers.stock = {item: Item(count, count) for item, count in units.items()}
        self.processes: list[Process] = []
        self.number, self.waited_for = 0, 0.0
        self.cancelled: set[uuid.UUID] = set()
        self.buyers = [Buyer(self, number) for number in range(orders)]
        self.broker_until = random.choice([0.0, random.uniform(0, SHOPPING), 10 * TROUBLE])

    def new_id(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.loop.random.randbytes(16), version=4)

    def any_process(self) -> Process:
        if not self.processes:
            self.begin()
        return self.loop.random.choice(self.processes)

    def run(self) -> list[str]:
        """What is wrong at the end."""
        with self._patched():
            try:
                self._happen()
                return list(self.wrong())
            finally:
                self.loop.close()

    def story(self) -> str:
        """All that happened: when, to whom, what."""
        return "\n".join(f"{at:11.6f} {who:7} {what}" for at, who, what in self.loop.history)

    def _happen(self) -> None:
        for _ in range(PROCESSES):
            self.begin()
        for buyer in self.buyers:
            self.come(buyer)
        self.loop.run_until(SHOPPING + TROUBLE)
        while self.loop.now < self.deadline and not self.quiet():
            self.loop.run_until(self.loop.now + 10)
        self.loop.run_until(self.loop.now + 20)  # the last parcels arrive

    def quiet(self) -> bool:
        """Nothing goes wrong or is under way any more."""
        if self.loop.now < self.faults.last:
            return False
        ended = not Saga.objects.exclude(step=Saga.Step.DONE).exists()
        return ended and not Message.objects.exclude(state="done").exists()

    @property
    def deadline(self) -> float:
        """Two minutes after the last fault, or after who was waited for had their time."""
        return max(self.faults.last, self.waited_for) + GRACE

    def come(self, buyer: Buyer) -> None:
        """All that one buyer, and staff on their account, will do."""
        random, at = self.loop.random, self.loop.random.uniform(0, SHOPPING)
        self.peers.carts[str(buyer.cart_id)] = buyer.cart()
        self.loop.later(at, lambda: buyer.post(buyer.key))
        if random.random() < 0.2:
            self.loop.later(at + random.uniform(0, 3), lambda: buyer.post(""))
        if random.random() < 0.2:
            self.loop.later(at + random.uniform(0, 3), lambda: buyer.post(buyer.key))
        if random.random() < 0.25:
            when = at + random.choice([random.uniform(0, 1), random.uniform(0, 40)])
            self.loop.later(when, buyer.ask_to_cancel)
        if random.random() < 0.15:
            self.loop.later(at + random.uniform(0, 60), lambda: self.refund(buyer))

    def refund(self, buyer: Buyer) -> None:
        """Staff give back a part or all, as soon as something was taken."""
        for payment in self.payments_of(buyer):
            left = payment["captured"] - payment["refunded"]
            if left:
                amount = left if self.loop.random.random() < 0.5 else self.loop.random.randint(1, left)
                self.loop.note(f"staff give back {amount} of {payment['id']}")
                self.peers.refund(payment["id"], {"refund_id": str(self.new_id()), "amount": amount})

    def payments_of(self, buyer: Buyer) -> list[dict[str, Any]]:
        return [each for each in self.peers.payments.values() if each["customer_id"] == buyer.name]

    def begin(self) -> None:
        """Another process, on a machine with a clock of its own; when it dies, one on another takes its place."""
        random = self.loop.random
        self.number += 1
        process = Process(f"web-{self.number}", random.choice([-SKEW, 0.0, random.uniform(-SKEW, SKEW), SKEW]))
        self.processes.append(process)
        self.loop.start(process, partial(self._sweep, process))

    def _sweep(self, process: Process) -> None:
        """What its sweeper does, for as long as it lives."""
        try:
            while True:
                saga.run_due()
                delivery.deliver_due()
                self.loop.sleep(self.loop.random.uniform(1, 8))
        finally:
            self.processes.remove(process)
            self.loop.later(self.loop.random.uniform(1, 20), self.begin)

    def answered(self, buyer: Buyer) -> None:
        """Who pays late is waited for; and there may be something to do."""
        if CARDS[buyer.card] in ("pending", "requires_action"):
            self.waited_for = max(self.waited_for, self.loop.now + PAY_WITHIN)
        self.wake()

    def wake(self) -> None:
        """Says that there is something to do, while the broker is there to say it."""
        if self.broker_until > self.loop.now:
            self.loop.start(self.any_process(), saga.run_due)

    def tell(self, kind: str, what: dict[str, Any]) -> None:
        """News go out as they are now; they come late, twice and in any order, but they come."""
        random = self.loop.random
        if kind == "shipment":
            self._moves(what["order_id"])
            return
        if what["status"] == "requires_action" and random.random() < 0.8:
            accepted = random.random() < 0.7
            self.loop.later(random.uniform(1, 60), lambda: self.peers.confirm(what["id"], accepted=accepted))
        ids = {"order_id": uuid.UUID(what["order_id"]), "payment_id": uuid.UUID(what["id"])}
        news = {**ids, "status": what["status"], "refunded": what["refunded"]}
        self._told(lambda: services.take_payment_news(**news))

    def _moves(self, order: str) -> None:
        for number, status in enumerate(WAYS):
            self.loop.later(3.0 * number, partial(self._arrives, order, status))

    def _arrives(self, order: str, status: str) -> None:
        self.peers.shipments[order]["status"] = status
        self._told(partial(services.take_shipment_news, order_id=order, status=status))

    def _told(self, news: Any) -> None:
        random, healthy = self.loop.random, self.loop.now > self.faults.until
        for _ in range(1 if healthy else random.choice([1, 1, 2])):
            late = random.uniform(0, 1) if healthy or random.random() < 0.7 else random.uniform(0, 60)
            self.faults.last = max(self.faults.last, self.loop.now + late)
            self.loop.later(late, partial(self._hears, news))

    def _hears(self, news: Any) -> None:
        """Told again unless it was taken within five seconds: its process may be dead before it begins."""
        taken: list[bool] = []

        def work() -> None:
            with suppress(ShopError):
                news()
                taken.append(True)

        self.loop.start(self.any_process(), work)
        self.loop.later(5, lambda: taken or self._hears(news))

    def wrong(self) -> Iterator[str]:
        """All that must not be, now that nothing goes wrong any more."""
        yield from (f"{each.rule}: {each.id}: {each.why}" for each in audit.audit(self._books()))
        for undone in Saga.objects.exclude(step=Saga.Step.DONE):
            yield f"not done: {undone}, due {undone.next_at}, leased until {undone.lease_until}, {undone.last_error}"
        # a mail whose sender died is not sent again
        for message in Message.objects.exclude(state="done").exclude(kind=services.MAIL, state__in=("taken", "lost")):
            yield f"not delivered: {message}, due {message.lease_until}, {message.last_error}"
        yield from self._went_on()
        orders = {order.cart_id: order for order in Order.objects.all()}
        yield from self._left_open(orders.values())
        for buyer in self.buyers:
            order = orders.get(buyer.cart_id)
            yield from self._wrong_with(buyer, str(order.pk) if order else None)

    def _left_open(self, orders: Iterable[Order]) -> Iterator[str]:
        """What is undone holds no money of its customer's; and who was told that it is cancelled is not sold it."""
        for order in orders:
            payment = self.peers.payments[str(order.payment_id)]
            if order.status in audit.UNDONE and payment["status"] not in ("voided", "failed", "refunded"):
                yield f"{order.pk} is {order.status}, and its payment {payment['status']}"
            if order.pk in self.cancelled and order.status not in (*audit.UNDONE, "refunded"):
                yield f"{order.pk} was cancelled, and is {order.status}"

    def _went_on(self) -> Iterator[str]:
        """A checkout that has ended takes no step again: who was slow must not have written anything."""
        ended: set[uuid.UUID] = set()
        for order_id, name, outcome in OrderEvent.objects.order_by("pk").values_list("order_id", "name", "outcome"):
            if order_id in ended and name in Saga.Step.values:
                yield f"{order_id} took the step {name} after its end"
            if name == Saga.Step.UNDO_STOCK or (name == Saga.Step.SHIP and outcome != "refunded"):
                ended.add(order_id)

    def _books(self) -> audit.Books:
        """Those of ten minutes later, when what came too late to be held is held no longer."""
        for item in self.peers.stock.values():
            item.expire(self.loop.now + HOLD)
        stock = {name: item.counted(name) for name, item in self.peers.stock.items()}
        carts = {cart_id: {"id": cart_id, "ordered": cart["ordered"]} for cart_id, cart in self.peers.carts.items()}
        books, now = audit.Books(stock=stock, carts=carts), self.loop.true_time().isoformat()
        for payment in self.peers.payments.values():
            books.payments[payment["order_id"]].append({**payment, "by_hand": False, "created_at": now})
        for shipment in self.peers.shipments.values():
            books.shipments[shipment["order_id"]].append({**shipment, "updated_at": BEGINNING.isoformat()})
        return books

    def _wrong_with(self, buyer: Buyer, order: str | None) -> Iterator[str]:
        for told in buyer.answers:
            if told.counts and told.order != (order or ""):
                yield f"{buyer.name} was told of {told}, and there is {order}"
        if self.peers.carts[str(buyer.cart_id)]["ordered"] != (order is not None):
            yield f"{buyer.name}'s cart is not as their order {order}"
        if sum(each["charges"] for each in self.payments_of(buyer)) > 1:
            yield f"{buyer.name} was charged twice"

    @contextmanager
    def _patched(self) -> Iterator[None]:
        monotonic = SimpleNamespace(monotonic=lambda: self.loop.now)
        now = SimpleNamespace(now=lambda tz=None: self.loop.clock())
        with ExitStack() as stack:
            for target, name, value in (
                (http, "_ADAPTER", self.network),
                (http, "token_for", lambda service, identity=None: ""),
                (django.utils.timezone, "datetime", now),
                (database_time, "now", self.loop.true_time),
                (uuid, "os", SimpleNamespace(urandom=self.loop.random.randbytes)),
                (mails, "mail", SimpleNamespace(send=lambda **mail: None)),
                (clients, "time", monotonic),
                (delivery, "time", monotonic),
                (delivery, "random", self.loop.random),
                (outbox, "time", monotonic),
                (services, "PAY_WITHIN", services.timedelta(seconds=PAY_WITHIN)),
            ):
                stack.enter_context(patch.object(target, name, value))
            clients._rates.clear()
            connection.inc_thread_sharing()
            stack.callback(connection.dec_thread_sharing)
            with connection.execute_wrapper(self.network.statement):
                yield


def forget() -> None:
    """Empties the tables."""
    with connection.cursor() as cursor:
        for model in EVERYTHING:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
