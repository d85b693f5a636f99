"""What can be done to orders. Each change is one conditional update of the order as it was read, and its event."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction

from order_service import clients
from order_service.models import DELETABLE, TRANSITIONS, Order, OrderEvent, OrderLine, Status
from order_service.totals import Totals, totals
from shopkit import versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, Moved, NotFound
from shopkit.money import shown
from shopkit.outbox import services as outbox

CART_ORDERED, ORDER_CHANGED = "cart_ordered", "order_changed"


def place_order(
    *,
    identity: Identity,
    cart_id: uuid.UUID,
    email: str,
    shipping_address: dict[str, str],
    shipping_method: str,
    expected_total: int | None,
) -> Order:
    """Makes a cart the order of its owner, or of the caller if it has none.

    `Invalid("unknown_cart")`; `Conflict`: `already_ordered`, `cart_merged`, `empty_cart`, `total_changed`.
    """
    _check_not_ordered(cart_id, identity)
    cart = _cart(cart_id, identity)
    price = totals(subtotal=cart.subtotal, shipping_method=shipping_method)
    _check_total(price, expected_total)
    order = Order(
        customer_id=cart.owner_id or identity.customer_id,
        customer_type=cart.owner_type if cart.owner_id else identity.customer_type,
        email=email,
        currency=cart.currency,
        subtotal=price.subtotal,
        shipping=price.shipping,
        tax=price.tax,
        total=price.total,
        shipping_address=shipping_address,
        shipping_method=shipping_method,
        cart_id=cart_id,
    )
    try:
        _keep(order, cart.lines)
    except IntegrityError:
        _check_not_ordered(cart_id, identity)
        raise
    return get_order(order_id=order.pk, identity=identity)


def get_order(*, order_id: uuid.UUID, identity: Identity) -> Order:
    """The order with its lines; `NotFound` when there is none or it is another's."""
    order = Order.objects.prefetch_related("lines").filter(pk=order_id).first()
    if order is None or not identity.may_see(order.customer_id):
        raise NotFound
    return order


def update_order(*, order: Order, values: dict[str, Any], version: int | None) -> Order:
    """Sets `email` and `shipping_address`, while the order is pending, and moves it to `status`, if given.

    `PreconditionFailed` when it is not at `version`; `Conflict`: `not_pending`, `illegal_transition`, `conflict`.
    """
    versioned.check_version(order, version)
    fields = {name: value for name, value in values.items() if name != "status"}
    if fields and order.status != Status.PENDING:
        raise Conflict(f"Only a pending order can be changed; this one is {order.status}.", code="not_pending")
    if "status" in values:
        return move(order=order, to=values["status"], name=values["status"], **fields)
    return _write(order, name="changed", **fields) if fields else order


def cancel_order(*, order: Order) -> Order:
    return move(order=order, to=Status.CANCELLED, name="cancelled")


def delete_order(*, order: Order) -> None:
    """Forgets an order that nobody waits for: pending, cancelled or expired; else `Conflict("not_deletable")`."""
    versioned.delete(order, DELETABLE)


def move(*, order: Order, to: str, name: str, **fields: Any) -> Order:
    """Moves an order along the table, sets `fields` with it, and logs the step as `name`.

    `Conflict`: `illegal_transition`, or `conflict` when the order changed since it was read.
    """
    versioned.check_transition(order, to, TRANSITIONS)
    return _write(order, name=name, status=to, **fields)


@transaction.atomic
def _write(order: Order, *, name: str, **fields: Any) -> Order:
    before = order.status
    versioned.change(order, **fields)
    OrderEvent.objects.create(order=order, name=name, from_status=before, to_status=order.status)
    _tell_customer(order)
    return order


@transaction.atomic
def _keep(order: Order, lines: tuple[clients.Line, ...]) -> None:
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(OrderLine(order=order, **vars(line)) for line in lines)
    OrderEvent.objects.create(order=order, name="placed", to_status=order.status)
    outbox.put(kind=CART_ORDERED, payload={"cart_id": str(order.cart_id)})
    _tell_customer(order)


def _tell_customer(order: Order) -> None:
    """The message names the order alone: what is told of it is what it has become by then."""
    if order.customer_id:
        outbox.put(kind=ORDER_CHANGED, payload={"order_id": str(order.pk)})


@transaction.atomic
def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What the guest ordered is the customer's. May be repeated."""
    for order in Order.objects.select_for_update().filter(customer_id=guest_id).order_by("pk"):
        _write(order, name="taken_over", customer_id=customer_id, customer_type=customer_type)


def _check_not_ordered(cart_id: uuid.UUID, identity: Identity) -> None:
    """`Conflict`, with the order's id if the caller may see it."""
    order = Order.objects.filter(cart_id=cart_id).first()
    if order is not None:
        details = {"order_id": [str(order.pk)]} if identity.may_see(order.customer_id) else {}
        raise Conflict("This cart has become an order already.", code="already_ordered", details=details)


def _cart(cart_id: uuid.UUID, identity: Identity) -> clients.Cart:
    """Asked for outside any transaction: a peer may take seconds to answer."""
    try:
        cart = clients.cart(cart_id=cart_id, identity=identity)
    except Moved as moved:
        message = "This cart has been put into another; order that one."
        raise Conflict(message, code="cart_merged", details={"cart": [moved.headers["Location"]]}) from None
    if cart is None:
        message = "There is no such cart, or it is not yours."
        raise Invalid(message, code="unknown_cart", details={"cart_id": [message]})
    if not cart.lines:
        raise Conflict("There is nothing in this cart.", code="empty_cart")
    return cart


def _check_total(price: Totals, expected: int | None) -> None:
    if expected is not None and expected != price.total:
        now = shown(price.total)
        raise Conflict(f"The total is now {now}.", code="total_changed", details={"total": [now]})
