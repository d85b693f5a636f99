"""A payment on its way: opened, authorised, captured, voided, refunded. Each may be repeated, and none charges twice.

What a provider is asked for is written down before it is asked, under a key of the payment's own. What it answers, and
what it says later, only ever moves a payment forward. No transaction is open while it is asked.
"""

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from paying_service import failed_refunds, providers
from paying_service.models import TRANSITIONS, Due, Payment, Refund, Status
from paying_service.providers.port import Charge
from shopkit import rows, versioned
from shopkit.auth import Identity
from shopkit.errors import Conflict, Invalid, ShopError, found
from shopkit.outbox import services as outbox

CHANGED, GIVE_BACK = "payment_changed", "payment_give_back"
LOOK_AFTER = timedelta(seconds=2)  # until a payment that waits is asked after, and twice as long each time
LOOK_AT_MOST = timedelta(minutes=5)
FORGOTTEN = timedelta(minutes=1)  # until a refund that is not made yet is made for whoever asked
TAKEN = (Status.CAPTURED, Status.PARTIALLY_REFUNDED, Status.REFUNDED)
NOTHING_OWED = ("not_captured", "recorded_by_hand", "refund_exceeds_capture", "charge_differs")
ENDED = (*TAKEN, Status.VOIDED, Status.FAILED)
OPEN = tuple(status for status in Status if status not in ENDED)
log = structlog.get_logger()


def open_payment(*, payment_id: uuid.UUID, provider: str, token: str, **fields: Any) -> Payment:
    """A payment that waits to be authorised; the one there is, if it was opened before. The card is forgotten.

    Without a card, its customer gives it on the provider's page. `Invalid`: `unknown_provider`, `invalid_token`.
    """
    chosen = providers.chosen(provider)
    fields |= {"provider": provider, "handle": chosen.handle_of(token) if token else Payment.HOSTED}
    return rows.find_or_insert(Payment(id=payment_id, **fields), "pk")[0]


def offer(*, order_id: uuid.UUID, identity: Identity, provider: str, method: str, token: str) -> Payment:
    """A payment by the customer for an order that waits for one; the order takes it up. `Invalid("unknown_order")`."""
    asked = due_of(order_id=order_id, identity=identity)
    with transaction.atomic():
        payment = open_payment(payment_id=uuid.uuid4(), provider=provider, method=method, token=token, **asked)
        tell(payment)
    return payment


def due_of(*, order_id: uuid.UUID, identity: Identity) -> dict[str, Any]:
    """The payment's fields that are the order's to say. `Invalid("unknown_order")`."""
    due = Due.objects.filter(pk=order_id).values().first()
    if due is None or not identity.owns(due["customer_id"], due["customer_type"]):
        message = "There is no order of yours that waits to be paid under this id."
        raise Invalid(message, code="unknown_order", details={"order_id": [message]})
    return dict(due)


def note_due(*, order_id: uuid.UUID, **fields: Any) -> None:
    """What the customer of an order may pay for it from now on."""
    Due.objects.update_or_create(pk=order_id, defaults=fields)


def authorise(*, payment_id: uuid.UUID) -> Payment:
    """Asks the provider for the money, once. `Conflict`: `payment_refused`, `charge_differs`."""
    payment = get(payment_id)
    provider = providers.of(payment.provider)
    open_still = {"pk": payment.pk, "status": Status.PENDING, "void_asked": False}
    if payment.status == Status.PENDING and not payment.provider_ref:
        # nothing is charged before it is written down what it is called
        rows.update(Payment, {**open_still, "provider_ref": ""}, provider_ref=provider.begin(payment).ref)
        payment = get(payment_id)
    begun = {**open_still, "provider_ref": payment.provider_ref}
    if not payment.provider_ref or not rows.update(Payment, begun, look_at=timezone.now() + LOOK_AFTER):
        return look(payment_id=payment_id)
    return apply(payment_id, provider.authorise(payment), told=True)


def look(*, payment_id: uuid.UUID) -> Payment:
    """The payment as it is now: while it is open, the provider is asked."""
    payment = get(payment_id)
    return payment if payment.status in ENDED else hear(payment_id=payment_id)


def hear(*, payment_id: uuid.UUID) -> Payment:
    """The payment as its provider has it now: for when there is news of it, even of one that ended."""
    payment = get(payment_id)
    if not payment.provider_ref:
        return payment
    return apply(payment_id, providers.of(payment.provider).fetch(payment))


def capture(*, payment_id: uuid.UUID) -> Payment:
    """Takes the money that was authorised. `Conflict` with the code of what the payment is instead."""
    payment = get(payment_id)
    if payment.status in TAKEN:
        return payment
    if payment.status != Status.AUTHORISED or payment.void_asked:
        raise Conflict(f"This payment is {payment.status}.", code=payment.status)
    payment = apply(payment_id, providers.of(payment.provider).capture(payment), told=True)
    if payment.status not in TAKEN:
        raise Conflict(f"This payment is {payment.status}.", code=payment.status)
    return payment


def void(*, payment_id: uuid.UUID) -> Payment:
    """Nothing is owed any more. `Conflict("captured")` when the money has been taken."""
    payment = _ask_to_void(payment_id)
    if payment.status in TAKEN:
        raise Conflict("The money has been taken.", code="captured")
    if payment.status in ENDED:
        return payment
    payment = apply(payment_id, providers.of(payment.provider).void(payment))
    if payment.status in TAKEN:
        raise Conflict("The money has been taken.", code="captured")
    return payment


@transaction.atomic
def _ask_to_void(payment_id: uuid.UUID) -> Payment:
    """From here on a success is given back; what no provider was asked for is void at once."""
    payment = _locked(payment_id)
    if payment.status in ENDED:
        return payment
    if payment.provider_ref:
        versioned.change(payment, void_asked=True, look_at=timezone.now() + LOOK_AFTER)
    else:
        versioned.change(payment, void_asked=True, status=Status.VOIDED, look_at=None)
        tell(payment)
    return payment


def refund(*, payment_id: uuid.UUID, refund_id: uuid.UUID, amount: int | None) -> Payment:
    """Gives back so much, or all that is left, once for each id.

    `Conflict`: `not_captured`, `recorded_by_hand`, `refund_exceeds_capture`, `refund_id_used`, `refund_refused`.
    """
    entry = _note_refund(payment_id, refund_id, amount)
    payment = get(payment_id)
    if entry.done:
        return payment
    try:
        charge = providers.of(payment.provider).refund(payment, key=str(refund_id), amount=entry.amount)
    except Conflict:  # for good: it is not to be made later either
        Refund.objects.filter(pk=refund_id, done=False).delete()
        raise
    payment = apply(payment_id, charge)
    Refund.objects.filter(pk=refund_id).update(done=True)  # last, so that who dies before it has all of it repeated
    return payment


def finish_refunds() -> int:
    """Makes the refunds that were noted, and never heard of again from who asked for them; how many."""
    forgotten = Refund.objects.filter(done=False, created_at__lte=timezone.now() - FORGOTTEN).order_by("created_at")
    entries = list(forgotten[:100])
    for entry in entries:
        with suppress(ShopError):  # the next time may be better
            refund(payment_id=entry.payment_id, refund_id=entry.pk, amount=entry.amount)
    return len(entries)


@transaction.atomic
def _note_refund(payment_id: uuid.UUID, refund_id: uuid.UUID, amount: int | None) -> Refund:
    payment = _locked(payment_id)
    if entry := Refund.objects.filter(pk=refund_id).first():
        if entry.payment_id != payment.pk:
            raise Conflict("This refund is one of another payment.", code="refund_id_used")
        return entry
    if not payment.provider_ref and payment.captured:
        raise Conflict("It was recorded by hand, so no provider can give it back.", code="recorded_by_hand")
    if not payment.captured:
        raise Conflict(f"Nothing was taken: this payment is {payment.status}.", code="not_captured")
    noted = payment.refunds.filter(failure="").aggregate(sum=Sum("amount"))["sum"] or 0
    failed = failed_refunds.left_of(payment)
    # of those that are noted the provider may have made some, which we have heard of by another's answer; what it gave
    # back and failed is in `refunded` still, which only grows
    left = payment.captured - max(payment.refunded - failed, noted)
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        message = f"There are {left} cents left to give back."
        raise Conflict(message, code="refund_exceeds_capture", details={"amount": [message]})
    return Refund.objects.create(pk=refund_id, payment=payment, amount=amount, again=min(amount, failed))


@transaction.atomic
def apply(payment_id: uuid.UUID, charge: Charge, *, told: bool = False) -> Payment:
    """What the provider says of a payment, as far as it is news; a success that nobody wants any more is given back.

    The order hears of it, unless it is `told` by our answer: it asks again until it gets one.
    `Conflict("charge_differs")` for money in another amount or currency, which counts for nothing.
    """
    payment = _locked(payment_id)
    _check_same(payment, charge)
    known = (payment.captured, payment.refunded)
    forward = charge.status in TRANSITIONS[payment.status]
    if forward or (max(known[0], charge.captured), max(known[1], charge.refunded)) != known:
        versioned.change(payment, **_news(payment, charge, forward=forward))
        if not told:
            tell(payment)
        unwanted = payment.void_asked or payment.status in (Status.VOIDED, Status.FAILED)
        if unwanted and payment.captured > payment.refunded:
            outbox.put(kind=GIVE_BACK, payload={"payment_id": str(payment.pk)})
    return payment


def _check_same(payment: Payment, charge: Charge) -> None:
    asked, said = (payment.amount, payment.currency), (charge.amount, charge.currency)
    too_much = charge.captured > payment.amount or charge.refunded > charge.captured
    if charge.status not in (Status.VOIDED, Status.FAILED) and (asked != said or too_much):
        log.error("charge differs from its payment", payment_id=str(payment.pk), asked=asked, charged=said)
        raise Conflict("The provider speaks of another amount or currency.", code="charge_differs")


def _news(payment: Payment, charge: Charge, *, forward: bool) -> dict[str, Any]:
    status = charge.status if forward else payment.status
    waits = status in (Status.PENDING, Status.REQUIRES_ACTION) or (payment.void_asked and status not in ENDED)
    return {
        "status": status,
        "captured": max(payment.captured, charge.captured),
        "refunded": max(payment.refunded, charge.refunded),
        "failure_code": charge.failure_code[:60],
        "failure_message": charge.failure_message[:200],
        "action_url": charge.action_url if status == Status.REQUIRES_ACTION else "",
        "look_at": payment.look_at if waits else None,
    }


def look_at_waiting() -> int:
    """Asks after the payments that wait, less and less often; how many."""
    now = timezone.now()
    waiting = rows.find_due(Payment, {"status": OPEN}, "look_at", now=now, most=100)
    for payment in waiting:
        wait = min(max(2 * (now - payment.updated_at), LOOK_AFTER), LOOK_AT_MOST)
        Payment.objects.filter(pk=payment.pk).update(look_at=now + wait)
        with suppress(ShopError):  # captured after all: what came of it is given back; or not known yet
            void(payment_id=payment.pk) if payment.void_asked else look(payment_id=payment.pk)
    return len(waiting)


def give_back(*, payment_id: uuid.UUID) -> None:
    """All of a success that came after nobody wanted it any more; what was given back already, not again.

    `Conflict` for what may be given back another time: `refund_refused`, while the shop's balance is too low, say.
    """
    try:
        refund(payment_id=payment_id, refund_id=uuid.uuid5(payment_id, "late"), amount=None)
    except Conflict as refusal:
        if refusal.code not in NOTHING_OWED:
            raise


def tell(payment: Payment) -> None:
    """The order hears of it; what it is told is what the payment has become by then."""
    outbox.put_news(kind=CHANGED, subject=payment.pk, payload={"payment_id": str(payment.pk)})


def get(payment_id: uuid.UUID) -> Payment:
    return found(rows.find(Payment, {"pk": payment_id}))


def _locked(payment_id: uuid.UUID) -> Payment:
    return found(rows.find(Payment, {"pk": payment_id}, lock=True))
