"""One cart put into another at its customer's word: what happens to each line, by policy, and what stops it."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from django.db import transaction

from cart_service import merging, pricing, services
from cart_service.clients import Item, Perks
from cart_service.models import MAX_LINES, MAX_QUANTITY, Cart
from cart_service.pricing import Items, Priced
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, NotFound, PreconditionFailed, Unavailable

POLICIES: dict[str, Callable[[int, int], int]] = {
    "sum": lambda had, came: had + came,
    "max": max,
    "keep": lambda had, came: had or came,
    "replace": lambda had, came: came or had,
}
"""How many there shall be of an item of which there were `had`, and `came` come; what is in one cart only, stays."""


@dataclass(frozen=True)
class Outcome:
    """What became of an item; `limited_by` is the code for why there are not as many as the policy would have."""

    item_id: str
    name: str
    had: int
    came: int
    has: int
    limited_by: str | None = None


@dataclass(frozen=True)
class Merged:
    cart: Priced
    report: list[Outcome]
    policy: str
    dry_run: bool


@dataclass(frozen=True)
class Wish:
    from_cart: uuid.UUID
    policy: str = "sum"
    dry_run: bool = False


def merge(*, cart: Cart, identity: Identity, wish: Wish, version: int | None) -> Merged:
    """Puts a cart of the caller's into another of theirs, which closes it; asked again, the same report.

    `Invalid`: `same_cart`, `unknown_cart`; `Conflict`: `cart_closed`, `cart_merged` (into a third), `other_owner`,
    `foreign_currency`; `PreconditionFailed`; 503 while an item's service can't say what there is of it.
    """
    source = _source(cart, identity, wish.from_cart)
    items, perks = pricing.look(cart, identity, *(line.item_id for line in source.lines.all()))
    with transaction.atomic():
        target, source = _locked(cart, source)
        if source.merged_into_id == target.pk:
            return _merged(target, items, perks, wish, [Outcome(**each) for each in source.merge_report])
        _check(target, source, version)
        report = _report(target, source, items, wish.policy)
        if not wish.dry_run:
            _carry_out(target, source, items, report)
        return _merged(services.fresh(target), items, perks, wish, report)


def _merged(cart: Cart, items: Items, perks: Perks | None, wish: Wish, report: list[Outcome]) -> Merged:
    return Merged(pricing.price(cart, items, perks), report, wish.policy, wish.dry_run)


def _source(cart: Cart, identity: Identity, cart_id: uuid.UUID) -> Cart:
    if cart_id == cart.pk:
        raise _invalid("A cart is not put into itself.", "same_cart")
    try:
        return services.visible_cart(cart_id=cart_id, identity=identity)
    except NotFound:
        raise _invalid("There is no such cart, or it is not yours.", "unknown_cart") from None


def _invalid(message: str, code: str) -> Invalid:
    return Invalid(message, code=code, details={"from_cart": [message]})


def _locked(cart: Cart, source: Cart) -> tuple[Cart, Cart]:
    """Both rows, taken in the order of their keys, as whoever takes several does."""
    both = Cart.objects.filter(pk__in=(cart.pk, source.pk)).select_for_update().order_by("pk")
    rows = {row.pk: row for row in both}
    if len(rows) < 2:
        raise NotFound
    return rows[cart.pk], rows[source.pk]


def _check(target: Cart, source: Cart, version: int | None) -> None:
    if version is not None and version != target.version:
        raise PreconditionFailed
    if target.ordered_at or target.merged_into_id or source.ordered_at:
        raise services.closed()
    if source.merged_into_id:
        where = f"/api/carts/{source.merged_into_id}/"
        raise Conflict("This cart has been put into another.", code="cart_merged", details={"cart": [where]})
    if source.owner_id and target.owner_id and source.owner_id != target.owner_id:
        raise Conflict("These carts are not of the same customer.", code="other_owner")
    if source.currency != target.currency:
        raise Conflict("These carts are in different currencies.", code="foreign_currency")


def _report(target: Cart, source: Cart, items: Items, policy: str) -> list[Outcome]:
    had, came = ({line.item_id: line for line in cart.lines.all()} for cart in (target, source))
    report, room = [], MAX_LINES - len(had)
    for item_id, line in came.items():
        if item_id not in items:
            raise Unavailable("An item's service is not available; try again soon.", headers={"Retry-After": "1"})
        before = had[item_id].quantity if item_id in had else 0
        wanted = POLICIES[policy](before, line.quantity)
        has, why = _settled(before, wanted, items[item_id], target.currency)
        if not before and has and room < 1:
            has, why = 0, "cart_full"
        room -= bool(has and not before)
        report.append(Outcome(item_id, line.name, before, line.quantity, has, why))
    return report


def _settled(had: int, wanted: int, item: Item | None, currency: str) -> tuple[int, str | None]:
    """How many there will be: never fewer than there were because of what came, never none of what was there."""
    why = None if wanted == had else pricing.refusal(item, wanted, currency)
    if why is None:
        return wanted, None
    got = min(wanted, item.stock, MAX_QUANTITY) if item and why in ("out_of_stock", "quantity_limit") else 0
    return max(got, had) if wanted > had else (got or had), why


def _carry_out(target: Cart, source: Cart, items: Mapping[str, Item | None], report: list[Outcome]) -> None:
    for each in report:
        item = items[each.item_id]
        if item is not None and each.has != each.had:
            services.set_line(target, item, each.has)
    source.lines.all().delete()
    merging.touch(target)
    merging.touch(source, merged_into=target, merge_report=[asdict(each) for each in report])
