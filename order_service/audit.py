"""The auditor: reads every service through its internal interface, and says where money, goods and orders disagree.

Run between two changes an order may be seen half way; what counts is what is still wrong when nothing moves any more.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from order_service import clients
from order_service.custom_models import CUSTOM_TRANSITIONS, CustomOrder, CustomStatus
from order_service.models import TRANSITIONS, Order, Saga, Status
from order_service.saga import failing_for
from shopkit import database_time
from shopkit.versioned import Transitions

PAID = (Status.PAID, Status.FULFILLING, Status.SHIPPED, Status.DELIVERED)
SHIPPED = (Status.FULFILLING, Status.SHIPPED, Status.DELIVERED)
UNDONE = (Status.CANCELLED, Status.EXPIRED, Status.PAYMENT_FAILED)
OVERDUE_SECONDS = 120  # what waits for nobody ends within this, once nothing fails any more


@dataclass(frozen=True)
class Finding:
    """Something that must not be: which rule, of what, and why."""

    rule: str
    id: str
    why: str


@dataclass
class Books:
    """What the services say: payments and shipments by order, and each item's stock."""

    payments: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    stock: dict[str, dict[str, Any]] = field(default_factory=dict)


def read() -> Books:
    """`ShopError` when a service can't say."""
    books = Books()
    for payment in clients.all_payments():
        books.payments[payment["order_id"]].append(payment)
    books.shipments = {each["order_id"]: each for each in clients.all_shipments()}
    books.stock = {each["id"]: each for each in clients.all_stock()}
    return books


def audit(books: Books) -> Iterator[Finding]:
    """Everything that is wrong, by the invariants of `docs/checkout.md`."""
    orders = {str(o.pk): o for o in Order.objects.prefetch_related("lines", "events").select_related("saga")}
    for key, order in orders.items():
        yield from _money(order, books.payments.get(key, []))
        yield from _goods(order, books.shipments.get(key))
        yield from _path(order)
        yield from _ends(order)
    for custom in CustomOrder.objects.prefetch_related("events").select_related("order"):
        yield from _path(custom, CUSTOM_TRANSITIONS)
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


def _goods(order: Order, shipment: dict[str, Any] | None) -> Iterator[Finding]:
    if hasattr(order, "saga") and (order.status in SHIPPED) != (shipment is not None) and order.status != "refunded":
        there = "a shipment" if shipment else "no shipment"
        yield Finding("shipped ⇔ paid", str(order.pk), f"{order.status}, and there is {there}")


def _path(row: Order | CustomOrder, table: Transitions = TRANSITIONS) -> Iterator[Finding]:
    at = ""
    for event in row.events.all():
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
        for payment in payments:
            if order_id not in orders and payment["captured"] > payment["refunded"]:
                yield Finding("no orphans", payment["id"], f"captured for {order_id}, which there is not")
    for order_id, shipment in books.shipments.items():
        if order_id not in orders:
            yield Finding("no orphans", shipment["id"], f"for {order_id}, which there is not")


def _refunds(books: Books) -> Iterator[Finding]:
    for order_id, payments in books.payments.items():
        for payment in payments:
            if failed := payment["refund_failed"]:
                why = f"{failed} given back for {order_id} failed at the provider: staff are to give it back again"
                yield Finding("refunds arrive", payment["id"], why)
