"""What can be done to custom orders. Each change takes the row, checks where it is, moves it and logs that, together.

An approved one has an order, which the saga carries out; how that ends, it follows.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from order_service import clients, pictures, placing, services
from order_service.custom_models import CUSTOM_TRANSITIONS, CustomEvent, CustomImage, CustomOrder, CustomStatus
from order_service.models import Order, OrderLine, Status
from order_service.totals import totals
from shopkit import versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, NotFound, ShopError, found
from shopkit.money import CURRENCY
from shopkit.outbox import services as outbox
from shopkit.pictures import Picture, forget

CUSTOM_MAIL = "custom_mail"
AT_A_TIME = 50
MAILS = {CustomStatus.QUOTED: "quoted", CustomStatus.REJECTED: "rejected", CustomStatus.EXPIRED: "expired"}
MAY: dict[str, frozenset[str]] = {
    "change": frozenset({CustomStatus.PENDING, CustomStatus.QUOTED}),
    "quote": frozenset({CustomStatus.PENDING, CustomStatus.QUOTED}),
    "approve": frozenset({CustomStatus.QUOTED}),
    "reject": frozenset({CustomStatus.PENDING, CustomStatus.QUOTED, CustomStatus.APPROVED}),
}
"""What may be done to it while it is where."""
WHY_NOT = {
    CustomStatus.PENDING: ("not_quoted", "This custom order has no quote yet."),
    CustomStatus.APPROVED: ("already_approved", "This custom order is approved, and waits to be paid."),
    CustomStatus.PAID: ("already_paid", "This custom order is paid."),
    CustomStatus.REJECTED: ("already_rejected", "This custom order was rejected."),
    CustomStatus.EXPIRED: ("quote_expired", "The quote of this custom order has expired."),
    CustomStatus.CANCELLED: ("order_cancelled", "The order of this custom order was cancelled."),
}
_BECOMES = {
    **dict.fromkeys((Status.PAID, Status.FULFILLING, Status.SHIPPED, Status.DELIVERED), CustomStatus.PAID),
    Status.REFUNDED: CustomStatus.PAID,  # it was, once
    Status.PAYMENT_FAILED: CustomStatus.QUOTED,
    Status.EXPIRED: CustomStatus.EXPIRED,
    Status.CANCELLED: CustomStatus.CANCELLED,
}
log = structlog.get_logger()


def ask(*, identity: Identity, images: Sequence[Picture], **wish: Any) -> CustomOrder:
    """A custom order with its pictures, which waits for staff; both they and the customer are told."""
    owner = {"customer_id": identity.customer_id, "customer_type": identity.customer_type}
    custom = CustomOrder(**owner, **wish, currency=CURRENCY)
    names = [pictures.keep(picture) for picture in images]
    try:
        _create(custom, [(name, picture.kind) for name, picture in zip(names, images, strict=True)])
    except Exception:
        for name in names:
            forget(name)
        raise
    return custom


@transaction.atomic
def _create(custom: CustomOrder, files: list[tuple[str, str]]) -> None:
    custom.save(force_insert=True)
    numbered = enumerate(files)
    images = [CustomImage(custom=custom, position=number, file=name, kind=kind) for number, (name, kind) in numbered]
    CustomImage.objects.bulk_create(images)
    _log(custom, "asked", "")
    for mail in ("received", "asked"):
        _mail(custom, mail)


def get(*, custom_id: uuid.UUID, identity: Identity, secret: str | None = None) -> CustomOrder:
    """As its customer, staff, or whoever has its secret may see it; `NotFound`."""
    custom: CustomOrder | None = _read().filter(pk=custom_id).first()
    if custom is None:
        raise NotFound
    if not (identity.may_see(custom.customer_id, custom.customer_type) or custom.opens_with(secret)):
        raise NotFound
    return custom


@transaction.atomic
def change(*, custom_id: uuid.UUID, version: int | None, **fields: Any) -> CustomOrder:
    """Where it shall go and how, until it is approved. `PreconditionFailed` when it is not at `version`."""
    custom = _taken(custom_id)
    versioned.check_version(custom, version)
    _check(custom, "change")
    if fields:
        versioned.change(custom, **fields)
        _log(custom, "changed", custom.status)
    return custom


@transaction.atomic
def quote(*, custom_id: uuid.UUID, price: int, note: str, by: str) -> CustomOrder:
    """What the piece costs, in minor units, before shipping and tax; good for so many days."""
    custom = _taken(custom_id)
    _check(custom, "quote")
    fields: dict[str, Any] = {"price": price, "note": note, "valid_until": _good_until()}
    return _move(custom, CustomStatus.QUOTED, "quoted", by=by, remark=note, **fields)


def approve(*, custom_id: uuid.UUID, provider: str, method: str, by: str) -> CustomOrder:
    """Makes it an order that waits for its payment, at the quoted price, once.

    `Conflict`: `no_address`, `conflict` when it changed meanwhile, or where it is (`WHY_NOT`); `Invalid`: `too_heavy`,
    `unknown_provider`.
    """
    custom = found(_read().filter(pk=custom_id).first())
    _check(custom, "approve")
    order, line = _order_of(custom)
    placing.ask_for_payment(order, {"provider": provider, "method": method})
    return _approve(custom, order, line, by)


@transaction.atomic
def _approve(asked: CustomOrder, order: Order, line: clients.Line, by: str) -> CustomOrder:
    custom, until = _taken(asked.pk), _good_until()
    _check(custom, "approve")
    if custom.version != asked.version:  # another price or address than the order was made with
        raise Conflict("This custom order has just changed; read it again.")
    placing.keep(order, (line,), pay_until=until)
    fields: dict[str, Any] = {"order": order, "valid_until": until, "payment_url": ""}
    return _move(custom, CustomStatus.APPROVED, "approved", by=by, **fields)


def _order_of(custom: CustomOrder) -> tuple[Order, clients.Line]:
    """By the same sums as any order's, with shipping and tax of where it goes."""
    if custom.shipping_address is None:
        message = "Where it shall go is not known yet: it needs a shipping_address first."
        raise Conflict(message, code="no_address", details={"shipping_address": [message]})
    assert custom.price
    cart = clients.Cart(custom.customer_id, custom.customer_type, custom.currency, (_line(custom, custom.price),))
    to = {"country": custom.shipping_address["country"], "region": custom.shipping_address.get("region", "")}
    rate = clients.rate(**to, weight_g=cart.weight_g, method=custom.shipping_method)
    price = totals(cart=cart, rate=rate, country=to["country"])
    copied = ("customer_id", "customer_type", "email", "shipping_address", "shipping_method")
    fields = {name: getattr(custom, name) for name in copied}
    return placing.new_order(cart, price, payment_id=uuid.uuid4(), **fields), cart.lines[0]


def _line(custom: CustomOrder, price: int) -> clients.Line:
    name = " ".join(f"Custom order: {custom.description}".split())[:200]
    return clients.Line(f"custom_{custom.pk}", OrderLine.CUSTOM, name, price, 1)


def link(*, custom_id: uuid.UUID) -> None:
    """Finds the page where it is paid, as soon as the provider has one; then its customer is told, once."""
    custom = _without_link().filter(pk=custom_id).select_related("order").first()
    if custom and custom.order and custom.order.payment_id:
        url = clients.payment(payment_id=custom.order.payment_id).action_url
        if url:
            _keep_link(custom, url)


def try_to_link(*, custom_id: uuid.UUID) -> None:
    """The same, or it is left to the next time."""
    try:
        link(custom_id=custom_id)
    except ShopError as error:
        log.warning("custom order without a link", custom_order=str(custom_id), error=error.code)


@transaction.atomic
def _keep_link(asked: CustomOrder, url: str) -> None:
    custom = _taken(asked.pk)
    if _without_link().filter(pk=custom.pk, order=asked.order).exists():
        versioned.change(custom, payment_url=url)
        _log(custom, "linked", custom.status)
        _mail(custom, "approved")


@transaction.atomic
def reject(*, custom_id: uuid.UUID, note: str, by: str) -> CustomOrder:
    """Nothing comes of it; an order that waits to be paid is cancelled. `Conflict("illegal_transition")`: just paid."""
    custom = _taken(custom_id)
    _check(custom, "reject")
    if custom.status == CustomStatus.APPROVED and custom.order:
        services.cancel_order(order=custom.order)
    return _move(custom, CustomStatus.REJECTED, "rejected", by=by, remark=note, note=note, payment_url="")


def carry_on() -> int:
    """Quotes whose time is over expire, what is approved follows its order, links are found; how many were due."""
    due = CustomOrder.objects.filter(_overdue(timezone.now()) | _order_ended()).values_list("pk", flat=True)
    settled, unlinked = list(due[:AT_A_TIME]), list(_without_link().values_list("pk", flat=True)[:AT_A_TIME])
    for custom_id in settled:
        _settle(custom_id)
    for custom_id in unlinked:
        try_to_link(custom_id=custom_id)
    return len(settled) + len(unlinked)


@transaction.atomic
def _settle(custom_id: uuid.UUID) -> None:
    custom = _taken(custom_id)
    if _is_over(custom):
        _move(custom, CustomStatus.EXPIRED, "expired")


@transaction.atomic
def take_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What the guest ordered, and asked to have made, is the customer's. May be repeated."""
    owner = {"customer_id": customer_id, "customer_type": customer_type}
    CustomOrder.objects.filter(customer_id=guest_id).update(version=F("version") + 1, **owner)
    services.take_over(guest_id=guest_id, **owner)


def _taken(custom_id: uuid.UUID) -> CustomOrder:
    """The row, ours until the transaction ends, as far on as its order is."""
    found(CustomOrder.objects.select_for_update().filter(pk=custom_id).first())
    custom: CustomOrder = _read().get(pk=custom_id)
    if custom.status == CustomStatus.APPROVED:
        to = _BECOMES.get(Status(custom.order.status)) if custom.order else CustomStatus.EXPIRED
        if to:
            _move(custom, to, "payment_failed" if to == CustomStatus.QUOTED else to, payment_url="")
    return custom


def _check(custom: CustomOrder, deed: str) -> None:
    """`Conflict` with the code of where it is, if that can't be done to it there."""
    status = CustomStatus.EXPIRED if _is_over(custom) else CustomStatus(custom.status)
    if status not in MAY[deed]:
        code, message = WHY_NOT[status]
        raise Conflict(message, code=code)


def _move(
    custom: CustomOrder, to: CustomStatus, name: str, *, by: str = "", remark: str = "", **fields: Any
) -> CustomOrder:
    """The one way that a custom order moves: one conditional update along the table, its log, its mail."""
    versioned.check_transition(custom, to, CUSTOM_TRANSITIONS)
    before = custom.status
    versioned.change(custom, status=to, **fields)
    _log(custom, name, before, by=by, note=remark)
    if to in MAILS and name != "payment_failed":  # of that, the order's own mail tells
        _mail(custom, MAILS[to])
    return custom


def _log(custom: CustomOrder, name: str, before: str, *, by: str = "", note: str = "") -> None:
    CustomEvent.objects.create(custom=custom, name=name, from_status=before, to_status=custom.status, by=by, note=note)


def _mail(custom: CustomOrder, mail: str) -> None:
    """What is mailed is made when it is sent; `mail` names the template."""
    outbox.put(kind=CUSTOM_MAIL, payload={"custom_id": str(custom.pk), "mail": mail})


def _read() -> Any:
    return CustomOrder.objects.select_related("order").prefetch_related("images")


def _good_until() -> datetime:
    days: int = settings.CUSTOM_ORDER_DAYS  # type: ignore[misc]
    return timezone.now() + timedelta(days=days)


def _is_over(custom: CustomOrder) -> bool:
    quoted = custom.status == CustomStatus.QUOTED and custom.valid_until is not None
    return quoted and custom.valid_until <= timezone.now()  # type: ignore[operator]


def _overdue(now: datetime) -> Q:
    return Q(status=CustomStatus.QUOTED, valid_until__lte=now)


def _order_ended() -> Q:
    return Q(status=CustomStatus.APPROVED) & (Q(order=None) | Q(order__status__in=list(_BECOMES)))


def _without_link() -> Any:
    return CustomOrder.objects.filter(status=CustomStatus.APPROVED, payment_url="", order__status=Status.RESERVED)
