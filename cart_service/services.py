"""What can be done to carts. A change first takes the cart's row, by raising its version, so that changes queue up."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cart_service import pricing
from cart_service.clients import Item
from cart_service.models import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from cart_service.pricing import Items, Priced
from shopkit import rows
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, Moved, NotFound, PreconditionFailed, Unavailable, found
from shopkit.money import check_currency

IDLE = timedelta(days=7)
AT_A_TIME = 200


def create_cart(*, identity: Identity, currency: str | None = None) -> Priced:
    """`Invalid("foreign_currency")` when one is asked for that the shop does not sell in."""
    check_currency(currency)
    return Priced(rows.insert(Cart(owner_id=identity.customer_id, owner_type=identity.customer_type)))


def get_cart(*, cart_id: uuid.UUID, identity: Identity) -> Cart:
    """The cart with its lines; `NotFound` for none and for another's; `Moved` to the one it was put into."""
    cart = visible_cart(cart_id=cart_id, identity=identity)
    if cart.merged_into_id:
        raise Moved(f"/api/carts/{cart.merged_into_id}/")
    return cart


def visible_cart(*, cart_id: uuid.UUID, identity: Identity) -> Cart:
    """As `get_cart`, of the past too."""
    cart = found(rows.find(Cart, {"pk": cart_id}, along="lines"))
    if not (cart.owner_id is None or identity.may_see(cart.owner_id, cart.owner_type)):
        raise NotFound
    return _with_account(cart, identity)


def _with_account(cart: Cart, identity: Identity) -> Cart:
    """A guest's cart is the account's from when its customer comes to it with that: no guest's token opens it then."""
    if cart.owner_type == "guest" and identity.customer_type != "guest" and identity.owns(cart.owner_id):
        cart.owner_type = identity.customer_type
        Cart.objects.filter(pk=cart.pk, owner_type="guest").update(owner_type=cart.owner_type)
    return cart


def page_of_carts(*, after: str) -> list[dict[str, object]]:
    """The next 500 by id: `{id, ordered}`."""
    later = Cart.objects.filter(pk__gt=after) if after else Cart.objects.all()
    page = later.order_by("pk").values_list("pk", "ordered_at")[:500]
    return [{"id": str(cart_id), "ordered": ordered_at is not None} for cart_id, ordered_at in page]


def delete_cart(*, cart: Cart, version: int | None) -> None:
    with _changing(cart, version):
        cart.delete()


def add_item(
    *,
    cart: Cart,
    identity: Identity,
    item_id: str,
    quantity: int,
    version: int | None,
    currency: str | None = None,
) -> Priced:
    """Puts in so many more of an item, at its present price, which then holds for those put in before too.

    `Invalid`: `unknown_item`, `foreign_currency`; `Conflict`: `not_for_sale`, `foreign_currency`, `out_of_stock`,
    `quantity_limit`, `cart_full`; 503 when nobody can say what the item is.
    """
    check_currency(currency)
    items, perks = pricing.look(cart, identity, item_id)
    item = _present(items, item_id)
    with _changing(cart, version):
        there = {line.item_id: line.quantity for line in rows.find_all(CartLine, {"cart": cart})}
        if item.id not in there and len(there) >= MAX_LINES:
            raise Conflict(f"A cart takes {MAX_LINES} different items.", code="cart_full")
        _put(cart, item, quantity + there.get(item.id, 0))
        return pricing.price(fresh(cart), items, perks)


def change_quantity(
    *, cart: Cart, identity: Identity, line_id: uuid.UUID, quantity: int, version: int | None
) -> Priced:
    """Sets how many of a line's item there are; the item's present name and price hold, as in `add_item`."""
    item_id = _line(cart, line_id).item_id
    items, perks = pricing.look(cart, identity, item_id)
    item = _present(items, item_id)
    with _changing(cart, version):
        _line(cart, line_id)
        _put(cart, item, quantity)
        return pricing.price(fresh(cart), items, perks)


def remove_line(*, cart: Cart, line_id: uuid.UUID, version: int | None) -> Cart:
    with _changing(cart, version):
        _line(cart, line_id).delete()
        return fresh(cart)


def forget_idle() -> int:
    """Deletes carts that nobody has changed for a week; how many. An order needs nothing more of its cart."""
    count, idle = 0, Cart.objects.filter(updated_at__lt=timezone.now() - IDLE).order_by("pk")
    while True:
        with transaction.atomic():
            # locked, so that none is changed between the look and the deletion
            batch = list(idle.select_for_update().values_list("pk", flat=True)[:AT_A_TIME])
            Cart.objects.filter(pk__in=batch).delete()
        count += len(batch)
        if len(batch) < AT_A_TIME:
            return count


@contextmanager
def _changing(cart: Cart, version: int | None) -> Iterator[None]:
    """A transaction in which nobody else changes the cart; `PreconditionFailed` when it is not at `version`."""
    with transaction.atomic():
        now = rows.find(Cart, {"pk": cart.pk}, lock=True)
        if now is None or version not in (None, now.version):
            raise NotFound if version is None else PreconditionFailed
        as_read = {"pk": cart.pk, "version": now.version, "ordered_at": None, "merged_into": None}
        if not rows.update(Cart, as_read, version=now.version + 1, updated_at=timezone.now()):
            raise closed()
        yield


def closed() -> Conflict:
    return Conflict("This cart is of the past; make another.", code="cart_closed")


def _present(items: Items, item_id: str) -> Item:
    """The item that was asked for; `Unavailable` when its service did not say."""
    if item_id not in items:
        raise Unavailable("This item's service is not available; try again soon.", headers={"Retry-After": "1"})
    item = items[item_id]
    if item is None:
        message = "There is no such item."
        raise Invalid(message, code="unknown_item", details={"item_id": [message]})
    return item


def _line(cart: Cart, line_id: uuid.UUID) -> CartLine:
    return found(cart.lines.filter(pk=line_id).first())


def _put(cart: Cart, item: Item, quantity: int) -> None:
    code = pricing.refusal(item, quantity, cart.currency)
    if code is not None:
        details = {"quantity": [_WHY[code].format(item=item)]} if code in _OF_QUANTITY else {}
        raise Conflict(_WHY[code].format(item=item), code=code, details=details)
    set_line(cart, item, quantity)


def set_line(cart: Cart, item: Item, quantity: int) -> None:
    """So many of an item that is for sale, at its present name and price; for who has taken the cart's row."""
    now = {"item_type": item.type, "name": item.name, "unit_price": item.price, "quantity": quantity}
    if not rows.update(CartLine, {"cart": cart, "item_id": item.id}, **now):
        rows.insert(CartLine(cart=cart, item_id=item.id, **now))


_WHY = {
    "not_for_sale": "This item is not for sale yet.",
    "foreign_currency": "This item is sold in {item.currency}; this cart is in another currency.",
    "quantity_limit": f"A cart takes {MAX_QUANTITY} of one item.",
    "out_of_stock": "There are {item.stock} of this item.",
}
_OF_QUANTITY = ("quantity_limit", "out_of_stock")


def fresh(cart: Cart) -> Cart:
    return found(rows.find(Cart, {"pk": cart.pk}, along="lines"))
