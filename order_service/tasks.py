"""What the order service does by itself: checkouts, mails, reports, and telling carts and customers of orders."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from order_service import clients, custom_mails, custom_orders, mails, pictures, reports, saga, steps, stock
from order_service.models import Order, Status
from order_service.placing import CART_ORDERED
from order_service.services import BUYER, DUE, MAIL, ORDER_CHANGED, UNWANTED
from shopkit import rows
from shopkit.errors import ShopError
from shopkit.idempotency.services import sweep
from shopkit.outbox.handlers import AtMostOnce, Handler, NotSent
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep

AT_ONCE = 4
_threads = ThreadPoolExecutor(AT_ONCE, "checkout")  # kept, and with them their connections


def carry_on() -> None:
    """The checkouts that are due, several at once: each mostly waits for its peers."""
    if due := saga.due_now():
        turns = iter(due)
        list(_threads.map(_carry_on_with, [turns] * min(AT_ONCE, len(due))))


def _carry_on_with(turns: Iterator[uuid.UUID]) -> None:
    """Takes the next one that no other thread has taken, so that a slow one keeps none waiting."""
    close_old_connections()
    try:
        for order_id in turns:
            saga.run_alone(order_id)
    finally:
        close_old_connections()


def close_cart(message: Message) -> None:
    clients.close_cart(cart_id=message.payload["cart_id"])


def tell_customer(message: Message) -> None:
    """How the order is now, unless it was told with a mail; one that was deleted since has nothing to tell."""
    order = rows.find(Order, {"pk": message.payload["order_id"]})
    if order is not None and order.told_version < order.version:
        _tell(order)


def mail_customer(message: Message) -> None:
    """To the email that was given with the order, else to the customer's own."""
    order = rows.find(Order, {"pk": message.payload["order_id"]}, along="lines")
    if order is None:
        return
    try:
        email = order.email or _tell(order)
    except ShopError as error:
        raise NotSent(f"Whose order it is, nobody can say: {error.code}.") from None
    mails.about_order(order=order, email=email, template=message.payload["mail"], amount=message.payload.get("amount"))


def _tell(order: Order) -> str:
    if not order.customer_id:
        return ""
    owner = {"customer_id": order.customer_id, "customer_type": order.customer_type}
    email = clients.tell_customer(order=told(order), **owner)
    if email and not order.email:
        rows.update(Order, {"pk": order.pk, "email": ""}, email=email, told_version=order.version)
    return email


def tell_due(message: Message) -> None:
    """What the customer may pay, of an order that was placed without a payment."""
    order = rows.find(Order, {"pk": message.payload["order_id"], "payment_id": None})
    if order is not None:
        owner = {"customer_id": order.customer_id, "customer_type": order.customer_type}
        clients.note_due(order_id=order.pk, amount=order.total, currency=order.currency, **owner)


def tell_buyer(message: Message) -> None:
    """Whose the goods are by now: nobody's, once all of it was given back."""
    order = rows.find(Order, {"pk": message.payload["order_id"]}, along="lines")
    if order is not None:
        buyer = None if order.status == Status.REFUNDED else order.customer_id
        stock.tell_buyer(order_id=order.pk, lines=steps.lines(order), customer_id=buyer)


def undo_unwanted(message: Message) -> None:
    """A payment that its order did not take up costs its customer nothing; given back once, under its own id."""
    payment_id = uuid.UUID(message.payload["payment_id"])
    try:
        clients.void(payment_id=payment_id)
    except ShopError as refusal:
        if refusal.code != "captured":
            raise
        paid = clients.payment(payment_id=payment_id)
        if paid.captured > paid.refunded:
            clients.refund(payment_id=payment_id, refund_id=payment_id, amount=paid.captured - paid.refunded)


def told(order: Order) -> dict[str, Any]:
    """What a customer's service is told of an order; amounts in minor units."""
    return {
        "order_id": str(order.pk),
        "version": order.version,
        "status": order.status,
        "total": order.total,
        "goods": order.goods,
        "refunded": min(order.refunded, order.goods),
        "currency": order.currency,
        "placed_at": order.created_at.isoformat(),
    }


def forget_old_answers() -> int:
    return sweep(now=timezone.now())


HANDLERS: dict[str, Handler] = {
    CART_ORDERED: close_cart,
    ORDER_CHANGED: tell_customer,
    DUE: tell_due,
    UNWANTED: undo_unwanted,
    BUYER: tell_buyer,
    MAIL: AtMostOnce(mail_customer),
    reports.REPORT: AtMostOnce(mails.about_day),
    custom_orders.CUSTOM_MAIL: AtMostOnce(custom_mails.about_custom_order),
}
SWEEPS = (
    Sweep(carry_on, every=1, woken=True),
    Sweep(custom_orders.carry_on, every=5, woken=True),
    Sweep(reports.make_due, every=600),
    Sweep(forget_old_answers, every=3600),
    Sweep(pictures.forget_orphans, every=24 * 3600),
)
