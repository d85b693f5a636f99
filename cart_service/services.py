"""What can be done to carts. A change first takes the cart's row, by raising its version, so that changes queue up."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cart_service import clients
from cart_service.models import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, Moved, NotFound, PreconditionFailed, found


def create_cart(*, identity: Identity) -> Cart:
    return Cart.objects.create(owner_id=identity.customer_id, owner_type=identity.customer_type)


def get_cart(*, cart_id: uuid.UUID, identity: Identity) -> Cart:
    """The cart with its lines; `NotFound` for none and for another's; `Moved` to the one it was put into."""
    cart = Cart.objects.prefetch_related("lines").filter(pk=cart_id).first()
    if cart is None or not (cart.owner_id is None or identity.may_see(cart.owner_id)):
        raise NotFound
    if cart.merged_into_id:
        raise Moved(f"/api/carts/{cart.merged_into_id}/")
    return cart


def delete_cart(*, cart: Cart, version: int | None) -> None:
    with _changing(cart, version):
        cart.delete()


def add_item(*, cart: Cart, item_id: str, quantity: int, version: int | None) -> Cart:
    """Puts in so many more of an item, at its present price, which then holds for those put in before too.

    `Invalid("unknown_item")`; `Conflict`: `not_for_sale`, `out_of_stock`, `quantity_limit`, `cart_full`.
    """
    item = _present(item_id)
    with _changing(cart, version):
        line = cart.lines.filter(item_id=item.id).first()
        if line is None and cart.lines.count() >= MAX_LINES:
            raise Conflict(f"A cart takes {MAX_LINES} different items.", code="cart_full")
        _put(cart, item, quantity + (line.quantity if line else 0))
        return _fresh(cart)


def change_quantity(*, cart: Cart, line_id: uuid.UUID, quantity: int, version: int | None) -> Cart:
    """Sets how many of a line's item there are; the item's present name and price hold, as in `add_item`."""
    item = _present(_line(cart, line_id).item_id)
    with _changing(cart, version):
        _line(cart, line_id)
        _put(cart, item, quantity)
        return _fresh(cart)


def remove_line(*, cart: Cart, line_id: uuid.UUID, version: int | None) -> Cart:
    with _changing(cart, version):
        _line(cart, line_id).delete()
        return _fresh(cart)


@contextmanager
def _changing(cart: Cart, version: int | None) -> Iterator[None]:
    """A transaction in which nobody else changes the cart; `PreconditionFailed` when it is not at `version`."""
    with transaction.atomic():
        rows = Cart.objects.filter(pk=cart.pk) if version is None else Cart.objects.filter(pk=cart.pk, version=version)
        if not rows.update(version=F("version") + 1, updated_at=timezone.now()):
            raise NotFound if version is None else PreconditionFailed
        if rows.model.objects.filter(pk=cart.pk).exclude(ordered_at=None, merged_into=None).exists():
            raise Conflict("This cart is of the past; make another.", code="cart_closed")
        yield


def _present(item_id: str) -> clients.Item:
    """Asked for outside any transaction: a peer may take seconds to answer."""
    item = clients.item(item_id=item_id)
    if item is None:
        message = "There is no such item."
        raise Invalid(message, code="unknown_item", details={"item_id": [message]})
    return item


def _line(cart: Cart, line_id: uuid.UUID) -> CartLine:
    return found(cart.lines.filter(pk=line_id).first())


def _put(cart: Cart, item: clients.Item, quantity: int) -> None:
    if item.price is None:
        raise Conflict("This item is not for sale yet.", code="not_for_sale")
    if quantity > MAX_QUANTITY:
        raise _too_many(f"A cart takes {MAX_QUANTITY} of one item.", "quantity_limit")
    if quantity > item.stock:
        raise _too_many(f"There are {item.stock} of this item.", "out_of_stock")
    now = {"item_type": item.type, "name": item.name, "unit_price": item.price, "quantity": quantity}
    CartLine.objects.update_or_create(cart=cart, item_id=item.id, defaults=now)


def _too_many(message: str, code: str) -> Conflict:
    return Conflict(message, code=code, details={"quantity": [message]})


def _fresh(cart: Cart) -> Cart:
    return Cart.objects.prefetch_related("lines").get(pk=cart.pk)
