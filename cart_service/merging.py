"""What becomes of a guest's carts when the guest signs in to an account that has carts of its own."""

import uuid

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from cart_service.models import MAX_LINES, MAX_QUANTITY, Cart, CartLine
from shopkit import rows


@transaction.atomic
def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """The guest's carts are the customer's; their lines go into the customer's latest cart, where that has room.

    Of an item that is in both there are as many as in both together. A cart that was put into another sends on there.
    """
    carts = list(_open().filter(owner_id__in=(guest_id, customer_id)).select_for_update().order_by("pk"))
    own = [cart for cart in carts if cart.owner_id == customer_id]
    target = max(own, key=lambda cart: cart.updated_at, default=None)
    for cart in (cart for cart in carts if cart.owner_id == guest_id):
        if target is not None and _has_room(target, cart):
            _put_into(target, cart)
        touch(cart, owner_id=customer_id, owner_type=customer_type)
    Cart.objects.filter(owner_id=guest_id).update(owner_id=customer_id, owner_type=customer_type)


def _open() -> "QuerySet[Cart]":
    return Cart.objects.filter(ordered_at=None, merged_into=None)


def _has_room(target: Cart, cart: Cart) -> bool:
    lines = CartLine.objects.filter(cart__in=(target.pk, cart.pk))
    return lines.values("item_id").distinct().count() <= MAX_LINES


def _put_into(target: Cart, cart: Cart) -> None:
    there = {line.item_id: line for line in target.lines.all()}
    for line in cart.lines.all():
        if same := there.get(line.item_id):
            same.quantity = min(same.quantity + line.quantity, MAX_QUANTITY)
            same.save(update_fields=["quantity"])
            line.delete()
        else:
            CartLine.objects.filter(pk=line.pk).update(cart=target)
    touch(target)
    touch(cart, merged_into=target)


def touch(cart: Cart, **fields: object) -> None:
    Cart.objects.filter(pk=cart.pk).update(version=F("version") + 1, updated_at=timezone.now(), **fields)


def close(*, cart_id: uuid.UUID) -> None:
    """The cart has become an order, and changes no more. May be repeated."""
    rows.update(Cart, {"pk": cart_id, "ordered_at": None}, ordered_at=timezone.now())
