"""What can be done to an order. Each change is one conditional update of it as it was read, and the event of that."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from order_service.models import DELETABLE, TRANSITIONS, Order, OrderEvent, Saga, Status
from shopkit import database_time, rows, sweeper, versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, NotFound
from shopkit.outbox import services as outbox

TELL_AFTER = timedelta(seconds=3)  # most checkouts are over by then, and told of once
PAY_WITHIN = timedelta(minutes=30)
ON_THE_WAY = {
    **dict.fromkeys(("picked_up", "in_transit", "out_for_delivery"), (Status.SHIPPED,)),
    "delivered": (Status.SHIPPED, Status.DELIVERED),
}
_IN_TROUBLE = {"failed": "parcel_failed", "returned": "parcel_returned"}  # what comes of it is for staff to say
_OPEN = frozenset({"pending", "requires_action", "authorised", "captured"})
GOES_ON = tuple(step for step in Saga.Step.values if step != Saga.Step.DONE)
BY_HAND = frozenset({Status.SHIPPED, Status.DELIVERED})
ORDER_CHANGED, MAIL = "order_changed", "mail"
MAILS = {Status.PAID: "confirmation", Status.PAYMENT_FAILED: "payment_failed", Status.SHIPPED: "shipped"}
UNWANTED, BUYER, DUE = "payment_unwanted", "buyer_changed", "order_due"


def get_order(*, order_id: uuid.UUID, identity: Identity) -> Order:
    """The order with its lines; `NotFound` when there is none or it is another's."""
    order = rows.find(Order, {"pk": order_id}, along="lines")
    if order is None or not identity.may_see(order.customer_id, order.customer_type):
        raise NotFound
    return order


def update_order(*, order: Order, values: dict[str, Any], version: int | None) -> Order:
    """Sets `email` and `shipping_address`, while the order is pending, and moves it to `status`, if given.

    `PreconditionFailed` when it is not at `version`; `Conflict`: `not_pending`, `illegal_transition`, `conflict`.
    """
    versioned.check_version(order, version)
    fields = {name: value for name, value in values.items() if name != "status"}
    _check_destination(order, fields.get("shipping_address"))
    if fields and order.status != Status.PENDING:
        raise Conflict(f"Only a pending order can be changed; this one is {order.status}.", code="not_pending")
    if values.get("status") == Status.CANCELLED:
        return cancel_order(order=order)
    if "status" in values:
        _check_by_hand(order, values["status"])
        return move(order=order, to=values["status"], name=values["status"], **fields)
    return _write(order, name="changed", **fields) if fields else order


def _check_destination(order: Order, address: dict[str, str] | None) -> None:
    """Shipping and tax are of the place it was ordered to."""
    if address and any(address[name] != order.shipping_address.get(name, "") for name in ("country", "region")):
        message = "Shipping and tax depend on the country and the region; cancel this order and place another."
        raise Conflict(message, code="destination_fixed", details={"shipping_address": [message]})


def _check_by_hand(order: Order, to: str) -> None:
    """What the checkout does is not done by hand: that an order is paid is for its payment to say, if it has one."""
    versioned.check_transition(order, to, TRANSITIONS)
    if (order.payment_id or not order.total) and to not in BY_HAND:
        raise Conflict(f"An order becomes {to} by its checkout, not by hand.", code="not_by_hand")


def cancel_order(*, order: Order) -> Order:
    """Undoes the checkout, while nothing is captured; the order as it is then, cancelled if that could be done at once.

    `Conflict("illegal_transition")` when it is too late.
    """
    versioned.check_transition(order, Status.CANCELLED, TRANSITIONS)
    if not rows.find(Saga, {"pk": order.pk}):
        return move(order=order, to=Status.CANCELLED, name="cancelled")
    now = database_time.now()
    asked = Saga.objects.filter(pk=order.pk).exclude(step__in=(Saga.Step.SHIP, Saga.Step.DONE))
    asked = asked.exclude(step=Saga.Step.CAPTURE, lease_until__gt=now)  # the money is being taken at this moment
    if not asked.update(cancel_asked=True, next_at=now, attempt=0):
        raise Conflict("It is too late to cancel this order.", code="illegal_transition")
    return order


def delete_order(*, order: Order) -> None:
    """Forgets an order that nobody waits for: pending, cancelled or expired; else `Conflict("not_deletable")`."""
    versioned.delete(order, DELETABLE)


def move(*, order: Order, to: str, name: str, outcome: str = "", **fields: Any) -> Order:
    """Moves an order along the table, sets `fields` with it, and logs the step as `name`.

    `Conflict`: `illegal_transition`, or `conflict` when the order changed since it was read.
    """
    versioned.check_transition(order, to, TRANSITIONS)
    return _write(order, name=name, outcome=outcome, status=to, **fields)


def advance(*, order: Order, to: str | None, name: str, outcome: str, **fields: Any) -> None:
    """What a step of the saga came to, in its transaction. `Conflict` when the order changed since it was read."""
    if to not in TRANSITIONS[order.status]:  # for the step is of the saga alone, or the order is further on by now
        rows.read_again(order, lock=True)
    if to in TRANSITIONS[order.status]:
        move(order=order, to=to, name=name, outcome=outcome, **fields)
    else:
        log_event(order, name, order.status, outcome)


@transaction.atomic(savepoint=False)
def _write(order: Order, *, name: str, outcome: str = "", **fields: Any) -> Order:
    before, refunded = order.status, order.refunded
    versioned.change(order, **fields)
    given_back = order.refunded - refunded or None
    log_event(order, name, before, outcome, given_back)
    tell_customer(order)
    if order.status != before and order.status in MAILS:
        _mail(order, MAILS[Status(order.status)])
    if given_back:
        _mail(order, "refund", amount=given_back)
    return order


def log_event(order: Order, name: str, before: str, outcome: str = "", amount: int | None = None) -> None:
    """Writes down what happened to the order, whose status was `before`."""
    changed = {"from_status": before, "to_status": order.status}
    rows.insert(OrderEvent(order=order, name=name, outcome=outcome[:60], amount=amount, **changed))


def _mail(order: Order, mail: str, **more: int) -> None:
    """What is mailed is made when it is sent; `mail` names the template."""
    outbox.put(kind=MAIL, payload={"order_id": str(order.pk), "mail": mail, **more})


def begin_checkout(order: Order, *, pay_until: datetime) -> None:
    """From here on the saga carries the order out, or undoes it when it is not paid by then."""
    now = database_time.now()
    rows.insert(Saga(order=order, next_at=now, lease_until=now, pay_until=pay_until))
    transaction.on_commit(sweeper.wake)


def tell_customer(order: Order) -> None:
    """What is told of the order is what it has become by then; a checkout that goes well is told of once."""
    if order.customer_id:
        outbox.put_news(kind=ORDER_CHANGED, subject=order.pk, payload={"order_id": str(order.pk)}, after=TELL_AFTER)


def _tell_items(order: Order) -> None:
    """Whose what it was sold is: their reviews are those of who has bought it."""
    outbox.put(kind=BUYER, payload={"order_id": str(order.pk)})


def tell_due(order: Order) -> None:
    """What its customer may pay, and who that is by then."""
    outbox.put(kind=DUE, payload={"order_id": str(order.pk)})


def _waits_for_payment(order: Order) -> bool:
    return order.payment_id is None and order.status == Status.PENDING and order.total > 0


@transaction.atomic
def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What the guest ordered is the customer's. May be repeated."""
    for order in Order.objects.select_for_update().filter(customer_id=guest_id).order_by("pk"):
        _write(order, name="taken_over", customer_id=customer_id, customer_type=customer_type)
        _tell_items(order)
        if _waits_for_payment(order):
            tell_due(order)


@transaction.atomic
def take_payment_news(*, order_id: uuid.UUID, payment_id: uuid.UUID, status: str, refunded: int) -> None:
    """A payment has changed: the saga looks at it again, and what was given back is the order's `refunded`.

    An order that waits to be paid takes the first payment that is offered; any other is voided or given back.
    """
    order = rows.find(Order, {"pk": order_id}, lock=True)
    if order is None:
        return  # its payment was made, and the order was not
    if _waits_for_payment(order):
        order = _write(order, name="payment", payment_id=payment_id)
        begin_checkout(order, pay_until=database_time.now() + PAY_WITHIN)
    if order.payment_id != payment_id:
        if status in _OPEN:
            outbox.put(kind=UNWANTED, payload={"payment_id": str(payment_id)}, key=f"{payment_id} {status}")
        return
    rows.update(Saga, {"pk": order_id, "step": GOES_ON}, next_at=database_time.now(), attempt=0)
    if refunded > order.refunded:
        undoing = Saga.objects.filter(pk=order_id, step__in=(Saga.Step.UNDO_PAYMENT, Saga.Step.UNDO_STOCK)).exists()
        whole = refunded >= order.total and not undoing and Status.REFUNDED in TRANSITIONS[order.status]
        _write(order, name="refund", refunded=refunded, **({"status": Status.REFUNDED} if whole else {}))
        if whole:
            _tell_items(order)


def take_shipment_news(*, order_id: uuid.UUID, status: str) -> None:
    """The parcel is on its way, or has arrived; the order follows, forward only, over whatever it was not told.

    That it is lost, or comes back, stands in the order's history, once.

    `Conflict`, and it is to be told again: `not_yet_shipped` while the checkout does not know that it has shipped, or
    who died between the carrier's answer and the record of it would leave an order that never arrives; `conflict` when
    the order changed at the same moment.
    """
    order = rows.find(Order, {"pk": order_id})
    if order is None:
        return
    # a saga in whatever step, since it may have gone on after we read the order
    if order.status == Status.PAID and rows.find(Saga, {"pk": order_id}):
        raise Conflict("This order is being handed to the carrier; tell it again.", code="not_yet_shipped")
    for reached in ON_THE_WAY.get(status, ()):
        if reached in TRANSITIONS[order.status]:
            order = move(order=order, to=reached, name=reached)
    if (name := _IN_TROUBLE.get(status)) and not order.events.filter(name=name).exists():
        _write(order, name=name)
