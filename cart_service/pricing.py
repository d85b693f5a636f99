"""A cart as it is now: its lines with the items' present names, prices and stock, what a VIP gets off, and the sums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cart_service import clients
from cart_service.clients import Item, Perks
from cart_service.models import MAX_QUANTITY, Cart, CartLine
from shopkit.auth import Identity
from shopkit.errors import ShopError

Items = Mapping[str, Item | None]
log = structlog.get_logger()


@dataclass(frozen=True)
class Discount:
    """A line of its own; `amount` is what it takes off, in minor units."""

    code: str
    label: str
    amount: int


@dataclass(frozen=True)
class Line:
    """A line with its item as it is now; `live` is False when nobody could say, and what was last known stands in."""

    line: CartLine
    item: Item | None
    live: bool
    currency: str

    @property
    def name(self) -> str:
        return self.item.name if self.item else self.line.name

    @property
    def unit_price(self) -> int:
        now = self.item.price if self.item else None
        return self.line.unit_price if now is None else now

    @property
    def line_total(self) -> int:
        return self.unit_price * self.line.quantity

    @property
    def stock(self) -> int | None:
        return self.item.stock if self.item else None

    @property
    def weight_g(self) -> int | None:
        return self.item.weight_g if self.item else None

    @property
    def price_changed(self) -> bool:
        """Since it was last put in."""
        return self.unit_price != self.line.unit_price

    @property
    def problem(self) -> str | None:
        """Why it can't be bought as it is; None when it can, or when nobody can say."""
        return refusal(self.item, self.line.quantity, self.currency) if self.live else None

    @property
    def available(self) -> bool | None:
        """Whether it can be bought as it is; None when nobody can say."""
        return self.problem is None if self.live else None

    @property
    def counts(self) -> bool:
        """Whether it has a price to count at all."""
        return self.problem in (None, "out_of_stock")


def refusal(item: Item | None, quantity: int, currency: str) -> str | None:
    """The code for why not so many of an item can be bought; None when they can."""
    if item is None:
        return "unknown_item"
    if item.price is None:
        return "not_for_sale"
    if item.currency != currency:
        return "foreign_currency"
    if quantity > MAX_QUANTITY:
        return "quantity_limit"
    return "out_of_stock" if quantity > item.stock else None


@dataclass(frozen=True)
class Priced:
    """A cart and what it comes to, in minor units; `perks` is None when nobody could say."""

    cart: Cart
    lines: Sequence[Line] = ()
    perks: Perks | None = field(default_factory=Perks)

    @property
    def live(self) -> bool:
        """Whether all of it is as it is now; else some is as last known."""
        return self.perks is not None and all(line.live for line in self.lines)

    @property
    def subtotal(self) -> int:
        return sum(line.line_total for line in self.lines if line.counts)

    @property
    def discounts(self) -> list[Discount]:
        perks = self.perks or Perks()
        amount = percentage(self.subtotal, perks.percent)
        label = f"{perks.tier.title()}: {perks.percent} % off"
        return [Discount(f"vip_{perks.tier}", label, amount)] if amount else []

    @property
    def total_price(self) -> int:
        return self.subtotal - sum(each.amount for each in self.discounts)

    @property
    def free_shipping(self) -> list[str]:
        return list((self.perks or Perks()).free_shipping)


def percentage(amount: int, percent: int) -> int:
    """So many percent of an amount in minor units, half a unit rounded up."""
    return (amount * percent + 50) // 100


def look(cart: Cart, identity: Identity, *more: str) -> tuple[Items, Perks | None]:
    """What a cart is priced by: its items and `more`, asked for at once, and its owner's perks.

    For outside transactions.
    """
    ids = [line.item_id for line in cart.lines.all()]
    return clients.items(ids=[*ids, *more]), _perks(cart, identity)


def price(cart: Cart, items: Items, perks: Perks | None) -> Priced:
    lines = [Line(each, items.get(each.item_id), each.item_id in items, cart.currency) for each in cart.lines.all()]
    return Priced(cart, lines, perks)


def priced(carts: Iterable[Cart], identity: Identity) -> list[Priced]:
    """Carts as they are now, or where a peer does not say, as last known: each type is asked once for all their items.

    To a service, as they were a second ago: when it orders, what it then reserves is compared once more.
    """
    several = list(carts)
    ids = {line.item_id for cart in several for line in cart.lines.all()}
    items = clients.items(ids=ids, age=1.0 if identity.service else 0)
    return [price(cart, items, _perks(cart, identity)) for cart in several]


def _perks(cart: Cart, identity: Identity) -> Perks | None:
    """A caller's own cart goes by what they are now, which they may not have been when they made it."""
    own = cart.owner_id is not None and cart.owner_id == identity.customer_id
    if not cart.owner_id or (identity.customer_type if own else cart.owner_type) != "vip":
        return Perks()
    try:
        return clients.perks(customer_id=cart.owner_id)
    except ShopError as error:
        log.warning("perks unknown", error=error.code)
        return None
