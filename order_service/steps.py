"""The steps of a checkout: each makes one call and says what it came to. None of them writes.

A `ShopError` of 4xx is a refusal, which each step knows how to take; of 5xx, an outcome that is not known: it goes up,
and the step is taken again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from order_service import clients, stock
from order_service.models import Order, Saga, Status
from shopkit import database_time, rows
from shopkit.errors import ShopError

Step = Saga.Step
POLL = 5.0  # seconds between two looks at a payment that waits for its customer or its provider
POLL_WITHOUT_STOCK = 300.0  # nothing is held meanwhile; and news of the payment wakes the saga
AUTHORISED = ("authorised", "captured")
NOTHING_TO_PAY = "nothing to pay"


@dataclass(frozen=True)
class Next:
    """The step is done: `step` is next, and the order's `status` with it; `outcome` is for its history."""

    step: str
    status: str | None = None
    outcome: str = "done"
    goal: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Not yet: again in so many seconds; with an `error`, a little longer each time."""

    seconds: float
    error: str = ""


def take(saga: Saga) -> Next | Wait:
    """What the saga's present step comes to."""
    return _STEPS[saga.step](saga, saga.order)


def back(goal: str, outcome: str) -> Next:
    """Nothing is captured yet, so all of it is undone."""
    return Next(Step.UNDO_PAYMENT, goal=goal, outcome=outcome)


def lines(order: Order) -> dict[str, int]:
    """What of it is kept in stock."""
    return {line.item_id: line.quantity for line in order.lines.all() if line.has_stock}


def reserve(saga: Saga, order: Order) -> Next | Wait:
    if saga.cancel_asked:
        return back(Status.CANCELLED, "cancelled")
    try:
        prices = stock.reserve(order_id=order.pk, lines=lines(order))
    except ShopError as refusal:
        return back(Status.CANCELLED, _refused(refusal))
    if any(line.has_stock and prices[line.item_id] != line.unit_price for line in order.lines.all()):
        return back(Status.CANCELLED, "price_changed")  # since it was put into the cart: nobody agreed to that one
    return Next(Step.AUTHORISE, Status.RESERVED)


def authorise(saga: Saga, order: Order) -> Next | Wait:
    if saga.cancel_asked:
        return back(Status.CANCELLED, "cancelled")
    if not order.payment_id:
        return Next(Step.COMMIT, Status.AUTHORISED, NOTHING_TO_PAY)
    try:
        payment = clients.authorise(payment_id=order.payment_id)
    except ShopError as refusal:
        return back(Status.PAYMENT_FAILED, _refused(refusal))
    if payment.status in AUTHORISED:
        return Next(Step.COMMIT, Status.AUTHORISED)
    if payment.status in ("failed", "voided"):
        return back(Status.PAYMENT_FAILED, payment.failure_code or payment.status)
    return _unpaid(saga, order)


def _unpaid(saga: Saga, order: Order) -> Next | Wait:
    """Waits for the customer or the provider, and holds the stock meanwhile, until the time for it is over."""
    if database_time.now() >= saga.pay_until:
        return back(Status.EXPIRED, "not paid in time")
    try:
        stock.reserve(order_id=order.pk, lines=lines(order))
    except ShopError as refusal:
        return back(Status.CANCELLED, _refused(refusal))
    left = (saga.pay_until - database_time.now()).total_seconds()
    return Wait(POLL if lines(order) else min(POLL_WITHOUT_STOCK, max(POLL, left)))


def commit(saga: Saga, order: Order) -> Next | Wait:
    if saga.cancel_asked:
        return back(Status.CANCELLED, "cancelled")
    try:
        stock.commit(order_id=order.pk, lines=lines(order), customer_id=order.customer_id)
    except ShopError as refusal:
        if refusal.code == "hold_gone":  # it took so long that others could have had it
            return Next(Step.RESERVE, outcome=refusal.code)
        return back(Status.CANCELLED, _refused(refusal))
    return Next(Step.CAPTURE)


def capture(saga: Saga, order: Order) -> Next | Wait:
    if saga.cancel_asked:
        return back(Status.CANCELLED, "cancelled")
    if not order.payment_id:
        return Next(Step.SHIP, Status.PAID, NOTHING_TO_PAY)
    try:
        payment = clients.capture(payment_id=order.payment_id)
    except ShopError as refusal:
        return back(Status.PAYMENT_FAILED, _refused(refusal))
    return Next(Step.SHIP, Status.PAID) if payment.captured else Wait(POLL)


def ship(saga: Saga, order: Order) -> Next | Wait:
    """After capture it goes forward only: what can't be shipped now is shipped later, unless all was given back."""
    now = rows.get(Order, {"pk": order.pk})
    if now.status == Status.REFUNDED or 0 < now.total <= now.refunded:  # it may have been before we knew it captured
        return _refunded(order)
    tracking = clients.ship(
        shipment_id=saga.shipment_id,
        order_id=order.pk,
        customer_id=now.customer_id,
        customer_type=now.customer_type,
        method=now.shipping_method,
        address=now.shipping_address,
        weight_g=order.weight_g or clients.PIECE_G * sum(lines(order).values()),
    )
    return Next(Step.DONE, Status.FULFILLING, fields={"tracking_number": tracking})


def _refunded(order: Order) -> Next:
    """The goods come back too, unless who died before it was written down had handed them to the carrier."""
    if clients.is_shipped(order_id=order.pk):
        return Next(Step.DONE, Status.REFUNDED, outcome="refunded")
    return Next(Step.UNDO_STOCK, Status.REFUNDED, outcome="refunded", goal=Status.REFUNDED)


def undo_payment(saga: Saga, order: Order) -> Next | Wait:
    """Nothing is owed any more: void, or where it was captured after all, all of it back."""
    if not order.payment_id:
        return Next(Step.UNDO_STOCK, goal=saga.goal, outcome=NOTHING_TO_PAY)
    try:
        clients.void(payment_id=order.payment_id)
    except ShopError as refusal:
        if refusal.code == "captured":
            _give_back(order)
        elif refusal.status != 404:  # a payment that is not there owes nothing
            raise
    return Next(Step.UNDO_STOCK, goal=saga.goal)


def _give_back(order: Order) -> None:
    assert order.payment_id
    paid = clients.payment(payment_id=order.payment_id)
    if paid.captured > paid.refunded:
        # the order's own id: whatever is repeated, it is one refund
        clients.refund(payment_id=order.payment_id, refund_id=order.pk, amount=paid.captured - paid.refunded)


def undo_stock(saga: Saga, order: Order) -> Next | Wait:
    """Once the holds are gone nothing more can be sold, by however late a call; what was sold before comes back."""
    stock.release(order_id=order.pk, lines=lines(order))
    stock.restock(order_id=order.pk, lines=lines(order), key=f"undo-{order.pk}")
    return Next(Step.DONE, saga.goal, goal=saga.goal)


def _refused(error: ShopError) -> str:
    """The refusal's code; what is no refusal goes up."""
    if not error.is_refusal:
        raise error
    return error.code


_STEPS: dict[str, Callable[[Saga, Order], Next | Wait]] = {
    Step.RESERVE: reserve,
    Step.AUTHORISE: authorise,
    Step.COMMIT: commit,
    Step.CAPTURE: capture,
    Step.SHIP: ship,
    Step.UNDO_PAYMENT: undo_payment,
    Step.UNDO_STOCK: undo_stock,
}
