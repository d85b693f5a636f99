"""How a cart becomes an order: looked at, priced, its payment opened, and kept, all before anybody is charged."""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from order_service import clients, services
from order_service.models import Order, OrderLine
from order_service.totals import Totals, totals
from shopkit import database_time, rows
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, Moved, ShopError, Unavailable
from shopkit.money import check_currency, shown
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

CART_ORDERED = "cart_ordered"


@dataclass(frozen=True)
class Wish:
    """What is asked for: `payment` is `{provider, method, token}`, or None to be paid later; amounts in minor units.

    `placed_by` is the same for requests that repeat each other, and empty where that is not known.
    """

    cart_id: uuid.UUID
    email: str
    shipping_address: dict[str, str]
    shipping_method: str
    expected_total: int | None = None
    currency: str | None = None
    payment: dict[str, str] | None = None
    placed_by: str = ""


def place_order(*, identity: Identity, wish: Wish) -> Order:
    """Makes a cart the order of its owner, or of the caller if it has none; the saga carries it out from there.

    The order there is, when the very same request has made it, and nobody came to say so.

    `Invalid`: `unknown_cart`, `foreign_currency`, `too_heavy`, or what the payment is refused for; `Conflict`:
    `already_ordered`, `cart_merged`, `empty_cart`, `total_changed`, and why a line can't be bought: `unknown_item`,
    `not_for_sale`, `out_of_stock`, `foreign_currency`, `quantity_limit`; 503 while its price is not known.
    """
    check_currency(wish.currency)
    if order := _made_before(wish, identity):
        return order
    cart = _cart(wish.cart_id, identity)
    price = _price(cart, wish)
    _check_total(price, wish.expected_total)
    order = _new_order(identity, wish, cart, price)
    if order.payment_id and wish.payment:
        ask_for_payment(order, wish.payment)
    try:
        closing = _keep(order, cart.lines)
    except IntegrityError:  # another request has made it meanwhile
        _drop_payment(order)
        if before := _made_before(wish, identity):
            return before
        raise
    outbox.deliver_now([closing])  # or what has just been ordered could be merged into another cart
    return order


def _price(cart: clients.Cart, wish: Wish) -> Totals:
    country, region = wish.shipping_address["country"], wish.shipping_address.get("region", "")
    method, weight_g = wish.shipping_method, cart.weight_g
    rate = clients.rate(country=country, region=region, weight_g=weight_g, method=method)
    return totals(cart=cart, rate=rate, country=country)


def _new_order(identity: Identity, wish: Wish, cart: clients.Cart, price: Totals) -> Order:
    return new_order(
        cart,
        price,
        customer_id=cart.owner_id or identity.customer_id,
        customer_type=cart.owner_type if cart.owner_id else identity.customer_type,
        email=wish.email,
        shipping_address=wish.shipping_address,
        shipping_method=wish.shipping_method,
        cart_id=wish.cart_id,
        placed_by=wish.placed_by,
        payment_id=uuid.uuid4() if wish.payment and price.total else None,
    )


def new_order(cart: clients.Cart, price: Totals, **fields: Any) -> Order:
    """An order of what is in the cart, at that price; it is kept by `keep`."""
    return Order(
        currency=cart.currency,
        subtotal=price.subtotal,
        discount=price.discount,
        shipping=price.shipping,
        tax=price.tax,
        total=price.total,
        charges=price.charges,
        weight_g=cart.weight_g,
        **fields,
    )


def ask_for_payment(order: Order, payment: dict[str, str]) -> None:
    """The card goes to who speaks with the provider, and nowhere else; without an order, its payment never moves."""
    assert order.payment_id
    clients.make_payment(
        payment_id=order.payment_id,
        order_id=order.pk,
        customer_id=order.customer_id,
        customer_type=order.customer_type,
        amount=order.total,
        currency=order.currency,
        **payment,
    )


def _drop_payment(order: Order) -> None:
    """Of an order that was not written; where nobody hears of it, paying_service voids it within a day."""
    if order.payment_id:
        with suppress(ShopError):
            clients.void(payment_id=order.payment_id)


@transaction.atomic
def _keep(order: Order, lines: tuple[clients.Line, ...]) -> Message:
    """Writes the order and all that goes with it; the message that its cart is of the past."""
    keep(order, lines, pay_until=database_time.now() + services.PAY_WITHIN)
    return outbox.put_claimed(kind=CART_ORDERED, payload={"cart_id": str(order.cart_id)})


@transaction.atomic(savepoint=False)
def keep(order: Order, lines: tuple[clients.Line, ...], *, pay_until: datetime) -> None:
    """Writes the order with its lines, its saga or what its customer may pay, and its first event."""
    rows.insert(order)
    rows.put_along(order, "lines", [rows.insert(_line(order, line)) for line in lines])
    if order.payment_id or not order.total:  # what costs nothing waits for nobody's payment
        services.begin_checkout(order, pay_until=pay_until)
    else:
        services.tell_due(order)
    services.log_event(order, "placed", "")
    services.tell_customer(order)


def _line(order: Order, line: clients.Line) -> OrderLine:
    fields = ("item_id", "item_type", "name", "unit_price", "quantity")
    return OrderLine(order=order, **{name: getattr(line, name) for name in fields})


def _made_before(wish: Wish, identity: Identity) -> Order | None:
    """`Conflict("already_ordered")`, with the order's id if the caller may see it, when another request has made it."""
    order = rows.find(Order, {"cart_id": wish.cart_id})
    if order is None:
        return None
    may_see = identity.may_see(order.customer_id, order.customer_type)
    if may_see and order.placed_by and order.placed_by == wish.placed_by:
        return order
    details = {"order_id": [str(order.pk)]} if may_see else {}
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
    _check_can_be_bought(cart)
    return cart


def _check_can_be_bought(cart: clients.Cart) -> None:
    """`Conflict` with the first line's problem as its code, and each line's in `details`."""
    if problems := {line.item_id: [line.problem] for line in cart.lines if line.problem}:
        code = next(iter(problems.values()))[0]
        raise Conflict("Not all in this cart can be bought as it is.", code=code, details=problems)
    if not cart.live:
        raise Unavailable("What this cart costs is not known just now; try again soon.", headers={"Retry-After": "1"})


def _check_total(price: Totals, expected: int | None) -> None:
    if expected is not None and expected != price.total:
        now = shown(price.total)
        raise Conflict(f"The total is now {now}.", code="total_changed", details={"total": [now]})
