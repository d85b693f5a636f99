"""The auditor: reads every service through its internal interface, and says where money, goods and orders disagree.

Run between two changes an order may be seen half way; what counts is what is still wrong when nothing moves any more.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from order_service import clients
from order_service.custom_models import CUSTOM_TRANSITIONS, CustomEvent, CustomOrder, CustomStatus
from order_service.models import TRANSITIONS, Order, OrderEvent, Saga, Status
from order_service.saga import failing_for
from order_service.services import ON_THE_WAY
from shopkit import database_time
from shopkit.versioned import Transitions

PAID = (Status.PAID, Status.FULFILLING, Status.SHIPPED, Status.DELIVERED)
SHIPPED = (Status.FULFILLING, Status.SHIPPED, Status.DELIVERED)
UNDONE = (Status.CANCELLED, Status.EXPIRED, Status.PAYMENT_FAILED)
OVERDUE_SECONDS = 120  # what waits for nobody ends within this, once nothing fails any more
FORGOTTEN_SECONDS = 25 * 3600  # by then paying_service has voided a payment whose order was never written
OPEN = ("pending", "requires_action", "authorised")
GONE = ("voided", "failed", "refunded")


@dataclass(frozen=True)
class Finding:
    """Something that must not be: which rule, of what, and why."""

    rule: str
    id: str
    why: str


@dataclass
class Books:
    """What the services say: payments and shipments by order, each item's stock, and each cart."""

    payments: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    shipments: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    stock: dict[str, dict[str, Any]] = field(default_factory=dict)
    carts: dict[str, dict[str, Any]] = field(default_factory=dict)


def read() -> Books:
    """`ShopError` when a service can't say."""
    books = Books()
    for payment in clients.all_payments():
        books.payments[payment["order_id"]].append(payment)
    for shipment in clients.all_shipments():
        books.shipments[shipment["order_id"]].append(shipment)
    books.stock = {each["id"]: each for each in clients.all_stock()}
    books.carts = {each["id"]: each for each in clients.all_carts()}
    return books


def audit(books: Books) -> Iterator[Finding]:
    """Everything that is wrong, by the invariants of `docs/checkout.md`."""
    orders = {str(o.pk): o for o in Order.objects.prefetch_related("lines").select_related("saga")}
    histories = _histories()
    for key, order in orders.items():
        yield from _money(order, books.payments.get(key, []))
        yield from _goods(order, books.shipments.get(key, []))
        yield from _cart(order, books.carts.get(str(order.cart_id)))
        yield from _path(order, histories[order.pk])
        yield from _ends(order)
    for custom in CustomOrder.objects.prefetch_related("events").select_related("order"):
        yield from _path(custom, custom.events.all(), CUSTOM_TRANSITIONS)
        yield from _custom(custom)
    yield from _stock(books, orders)
    yield from _orphans(books, orders)
    yield from _refunds(books)


def _money(order: Order, payments: list[dict[str, Any]]) -> Iterator[Finding]:
    taken = [payment for payment in payments if payment["captured"]]
    if len([each for each in taken if each["captured"] > each["refunded"]]) > 1:
        yield Finding("one captured payment", str(order.pk), f"{len(taken)} payments were captured")
    kept = sum(each["captured"] - each["refunded"] for each in payments)
    owed = order.total - order.refunded if order.status in PAID else 0
    if hasattr(order, "saga") and kept != owed:
        yield Finding("captured − refunded = owed", str(order.pk), f"{order.status}: {kept} kept, {owed} owed")


def _goods(order: Order, shipments: list[dict[str, Any]]) -> Iterator[Finding]:
    if not hasattr(order, "saga"):
        return
    if (order.status in SHIPPED) != bool(shipments) and order.status != Status.REFUNDED:
        there = "a shipment" if shipments else "no shipment"
        yield Finding("shipped ⇔ paid", str(order.pk), f"{order.status}, and there is {there}")
    if len(shipments) > 1:
        yield Finding("one shipment", str(order.pk), f"there are {len(shipments)}")
    for shipment in shipments:
        behind = any(reached in TRANSITIONS[order.status] for reached in ON_THE_WAY.get(shipment["status"], ()))
        if order.status in SHIPPED and behind and _age(shipment["updated_at"]) > OVERDUE_SECONDS:
            yield Finding("the parcel's news arrive", str(order.pk), f"{order.status}: it is {shipment['status']}")


def _cart(order: Order, cart: dict[str, Any] | None) -> Iterator[Finding]:
    """It is closed with the order; what is ordered without one may have been of an order that staff deleted."""
    overdue = (database_time.now() - order.created_at).total_seconds() > OVERDUE_SECONDS
    if cart and not cart["ordered"] and overdue:
        yield Finding("a cart ends with its order", str(order.pk), f"its cart {cart['id']} is open")


def _age(at: str) -> float:
    """In seconds."""
    return (database_time.now() - datetime.fromisoformat(at)).total_seconds()


def _histories() -> dict[uuid.UUID, list[OrderEvent]]:
    """Of each order, in one go: there are many of each."""
    histories: dict[uuid.UUID, list[OrderEvent]] = defaultdict(list)
    for event in OrderEvent.objects.all():
        histories[event.order_id].append(event)
    return histories


def _path(
    row: Order | CustomOrder, events: Iterable[OrderEvent | CustomEvent], table: Transitions = TRANSITIONS
) -> Iterator[Finding]:
    at = ""
    for event in events:
        if event.from_status != at or not (at in ("", event.to_status) or event.to_status in table[at]):
            yield Finding("the log is a path", str(row.pk), f"{at or 'nothing'} → {event.to_status} ({event.name})")
        at = event.to_status
    if at and at != row.status:
        yield Finding("the log is a path", str(row.pk), f"the log ends at {at}, the order is {row.status}")


def _custom(custom: CustomOrder) -> Iterator[Finding]:
    """It is paid if and only if its order is; what was given back had been."""
    order = custom.order.status if custom.order else "not there"
    if order != Status.REFUNDED and (custom.status == CustomStatus.PAID) != (order in PAID):
        yield Finding("custom ⇔ its order", str(custom.pk), f"{custom.status}, and its order is {order}")


def _ends(order: Order) -> Iterator[Finding]:
    saga = getattr(order, "saga", None)
    if saga is None or saga.step == Saga.Step.DONE:
        return
    # who fails again and again is due again and again
    overdue = max((database_time.now() - saga.next_at).total_seconds(), failing_for(saga.attempt))
    if overdue > OVERDUE_SECONDS:
        yield Finding("every order ends", str(order.pk), f"{saga.step} is {overdue:.0f} s overdue: {saga.last_error}")


def _stock(books: Books, orders: dict[str, Order]) -> Iterator[Finding]:
    sold = _sold(orders)
    for item in books.stock.values():
        if item["available"] < 0 or item["available"] + item["held"] + item["sold"] != item["put_in"]:
            sums = f"{item['available']} free + {item['held']} held + {item['sold']} sold ≠ {item['put_in']} put in"
            yield Finding("stock adds up", item["id"], sums)
        if item["held"] != sum(item["holds"].values()):
            why = f"{item['held']} held, its holds say {sum(item['holds'].values())}"
            yield Finding("held is the sum of holds", item["id"], why)
        if item["sold"] != sold[item["id"]]:
            why = f"{item['sold']} sold, orders say {sold[item['id']]}"
            yield Finding("sold is ordered", item["id"], why)
        for order_id in item["holds"]:
            if (order := orders.get(order_id)) is None or order.status in (*UNDONE, *SHIPPED):
                yield Finding("no orphans", item["id"], f"held by {order_id}, which does not wait for it")


def _sold(orders: dict[str, Order]) -> dict[str, int]:
    """What the orders say of each item, by the sagas that have come past the sale."""
    sold: dict[str, int] = defaultdict(int)
    for order in orders.values():
        saga = getattr(order, "saga", None)
        gone = saga is not None and (saga.step in ("capture", "ship") or (saga.step == "done" and not saga.goal))
        for line in order.lines.all() if gone else ():
            sold[line.item_id] += line.quantity if line.has_stock else 0
    return sold


def _orphans(books: Books, orders: dict[str, Order]) -> Iterator[Finding]:
    for order_id, payments in books.payments.items():
        order = orders.get(order_id)
        for payment in payments:
            if order is None and _is_orphan(payment):
                yield Finding("no orphans", payment["id"], f"{payment['status']} for {order_id}, which there is not")
            if order and _has_ended(order) and payment["status"] in OPEN and not payment["by_hand"]:
                why = f"{payment['status']} for {order_id}, which is {order.status}"
                yield Finding("no payment stays open", payment["id"], why)
    for order_id, shipments in books.shipments.items():
        for shipment in shipments if order_id not in orders else ():
            yield Finding("no orphans", shipment["id"], f"for {order_id}, which there is not")


def _is_orphan(payment: dict[str, Any]) -> bool:
    """A payment is opened before its order is written; what staff recorded by hand nobody waits for."""
    if payment["by_hand"] or (payment["status"] == "pending" and _age(payment["created_at"]) < FORGOTTEN_SECONDS):
        return False
    return payment["status"] not in GONE or payment["captured"] > payment["refunded"]


def _has_ended(order: Order) -> bool:
    """Whether its checkout has; who has none is paid in whatever way."""
    return hasattr(order, "saga") and order.saga.step == Saga.Step.DONE


def _refunds(books: Books) -> Iterator[Finding]:
    for order_id, payments in books.payments.items():
        for payment in payments:
            if failed := payment["refund_failed"]:
                why = f"{failed} given back for {order_id} failed at the provider: staff are to give it back again"
                yield Finding("refunds arrive", payment["id"], why)
