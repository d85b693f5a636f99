"""The simulated provider: what a real one would do, by test card, with books of its own and news of each change.

It stands where a provider's API would, so each function of the port is one request of ours to it.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from paying_service.models import Payment, SimulatedCharge, Status
from paying_service.providers import simulated_news as news
from paying_service.providers import webhook
from paying_service.providers.port import Begun, Charge, Event
from shopkit import rows
from shopkit.errors import Conflict, Invalid, found
from shopkit.outbox.models import Message

CARDS = {
    "4111111111111111": "succeeds",
    "4000000000000002": "declined",
    "4000000000009995": "insufficient_funds",
    "4000002500003155": "needs_confirmation",
    "4000000000000341": "succeeds_late",
}
"""The test cards. What is kept of one is its word, never its number."""
LATE = timedelta(seconds=2)
MESSAGES = {"declined": "The card was declined.", "insufficient_funds": "The card has insufficient funds."}
_FIRST = {
    "succeeds": Status.AUTHORISED,
    "declined": Status.FAILED,
    "insufficient_funds": Status.FAILED,
    "needs_confirmation": Status.REQUIRES_ACTION,
    "succeeds_late": Status.PENDING,
}
_WAYS = (Payment.HOSTED, Payment.INTENT)  # until the customer has chosen a card
_OPEN = (Status.PENDING, Status.REQUIRES_ACTION, Status.AUTHORISED)


def public_key() -> str:
    return ""


def handle_of(token: str) -> str:
    """What the provider knows a card by; `Invalid("invalid_token")` for no test card."""
    word = CARDS.get("".join(token.split()))
    if word is None:
        message = f"The simulated provider takes its test cards only: {', '.join(CARDS)}."
        raise Invalid(message, code="invalid_token", details={"token": [message]})
    return word


def begin(payment: Payment) -> Begun:
    """With a card, its charge comes with `authorise`; without one, it waits for the customer on the page."""
    ref = payment.provider_ref or f"{payment.pk}:authorise"
    if payment.handle in CARDS.values():
        return Begun(ref)
    _charge(ref, payment, Status.REQUIRES_ACTION)
    return Begun(ref, page_of(payment))


def page_of(payment: Payment) -> str:
    """Where the customer chooses a card, or confirms what they were asked for."""
    return f"/api/payments/{payment.pk}/pay/"


def authorise(payment: Payment) -> Charge:
    """Asks for the money; the same charge again for the same payment."""
    if payment.handle not in _FIRST:
        return fetch(payment)
    charge = _charge(payment.provider_ref, payment, _FIRST[payment.handle])
    return fetch(payment) if charge.status == Status.PENDING else _shown(charge, payment)


@transaction.atomic
def _charge(ref: str, payment: Payment, status: str) -> SimulatedCharge:
    ready = timezone.now() + LATE if status == Status.PENDING else None
    fields = {"handle": payment.handle, "amount": payment.amount, "currency": payment.currency}
    charge, new = rows.find_or_insert(SimulatedCharge(key=ref, status=status, ready_at=ready, **fields), "key")
    if new:
        news.tell(charge)
    return charge


def fetch(payment: Payment) -> Charge:
    """The charge as it is now; one that is late is authorised once its time has come, one it never heard of waits."""
    ripen(payment.provider_ref)
    charge = rows.find(SimulatedCharge, {"key": payment.provider_ref})
    return _shown(charge, payment) if charge else Charge(Status.PENDING, payment.amount, payment.currency)


def ripen(ref: str) -> None:
    """A late charge whose time has come."""
    if SimulatedCharge.objects.filter(key=ref, status=Status.PENDING, ready_at__lte=timezone.now()).exists():
        _move(ref, Status.PENDING, to=Status.AUTHORISED)


def look_after(message: Message) -> None:
    """The late charge of a message that was put off until it is ready."""
    ripen(message.payload["charge"])


def confirm(payment: Payment, *, accepted: bool) -> None:
    """What the customer did on the provider's page; `Conflict("nothing_to_confirm")` when there is nothing to do."""
    to = Status.AUTHORISED if accepted else Status.FAILED
    if (accepted and waits_for_card(payment)) or not _move(payment.provider_ref, Status.REQUIRES_ACTION, to=to):
        raise Conflict("There is nothing to confirm.", code="nothing_to_confirm")


def waits_for_card(payment: Payment) -> bool:
    """Whether the customer has yet to choose one."""
    return SimulatedCharge.objects.filter(key=payment.provider_ref, handle__in=_WAYS).exists()


@transaction.atomic
def choose(payment: Payment, *, token: str) -> str:
    """The card that the customer chose on the page; why it was refused, for them to choose another, or nothing.

    `Invalid("invalid_token")`; `Conflict("nothing_to_confirm")` when there is nothing to pay.
    """
    card = handle_of(token)
    charge = SimulatedCharge.objects.select_for_update().filter(key=payment.provider_ref).first()
    if charge is None or charge.status != Status.REQUIRES_ACTION or charge.handle not in _WAYS:
        raise Conflict("There is nothing to confirm.", code="nothing_to_confirm")
    if card in MESSAGES:
        return MESSAGES[card]
    charge.handle, charge.status = card, _FIRST[card]
    charge.ready_at = timezone.now() + LATE if charge.status == Status.PENDING else None
    charge.save()
    news.tell(charge)
    return ""


def capture(payment: Payment) -> Charge:
    """Takes the money, once; the charge as it is, if it can't be taken."""
    with transaction.atomic():
        charge = _held(payment)
        if charge.status == Status.AUTHORISED:
            charge.status, charge.captured = Status.CAPTURED, charge.amount
            rows.update(SimulatedCharge, {"key": charge.key}, status=charge.status, captured=charge.captured)
            news.tell(charge)
    return _shown(charge, payment)


def void(payment: Payment) -> Charge:
    """Lets go of the money, unless it was taken; the charge as it is then."""
    # one that is not there yet is void before it comes
    fields = {"handle": "", "amount": payment.amount, "currency": payment.currency, "status": Status.VOIDED}
    SimulatedCharge.objects.get_or_create(key=payment.provider_ref, defaults=fields)
    _move(payment.provider_ref, *_OPEN, to=Status.VOIDED)
    return fetch(payment)


def refund(payment: Payment, *, key: str, amount: int) -> Charge:
    """Gives back so much, once for each key; `Conflict("refund_exceeds_capture")`."""
    with transaction.atomic():
        charge = _held(payment)
        if key not in charge.refunds:
            if charge.refunded + amount > charge.captured:
                raise Conflict("That is more than was taken.", code="refund_exceeds_capture")
            charge.refunds[key] = amount
            charge.save()
            news.tell(charge)
    return fetch(payment)


@transaction.atomic
def fail_refunds(payment: Payment) -> None:
    """As where the customer's account is closed: what was given back comes back to the shop. In its books it is 0."""
    charge = found(rows.find(SimulatedCharge, {"key": payment.provider_ref}, lock=True))
    charge.refunds = dict.fromkeys(charge.refunds, 0)
    charge.save()
    news.tell(charge)


def failed_refunds(payment: Payment) -> dict[str, str]:
    charge = SimulatedCharge.objects.get(key=payment.provider_ref)
    return {key: "account_closed" for key, amount in charge.refunds.items() if not amount}


def check_proof(payment: Payment, proof: Mapping[str, str]) -> None:
    """There is none: its books say what was paid."""


def parse_webhook(body: bytes, headers: Mapping[str, str]) -> Event:
    """`{id, charge, amount, currency}`, signed as Stripe's are."""
    news.check_signature(body, headers.get("Simulated-Signature", ""))
    sent = webhook.parsed(body)
    try:
        event = Event(sent["id"], ref=sent["charge"], amount=sent["amount"], currency=sent["currency"])
    except KeyError:
        raise webhook.malformed() from None
    if event.amount is None or not event.ref or not event.currency:
        raise webhook.malformed()
    return webhook.checked(event)


@transaction.atomic
def _move(ref: str, *before: str, to: str) -> bool:
    if not SimulatedCharge.objects.filter(key=ref, status__in=before).update(status=to):
        return False
    news.tell(SimulatedCharge.objects.get(key=ref))
    return True


def _held(payment: Payment) -> SimulatedCharge:
    """The payment's charge, which nobody else changes while the transaction lasts."""
    return rows.get(SimulatedCharge, {"key": payment.provider_ref}, lock=True)


def _shown(charge: SimulatedCharge, payment: Payment) -> Charge:
    failed = charge.status == Status.FAILED
    code = (charge.handle if charge.handle in MESSAGES else "not_confirmed") if failed else ""
    url = page_of(payment) if charge.status == Status.REQUIRES_ACTION else ""
    amounts = (charge.amount, charge.currency, charge.captured, charge.refunded)
    return Charge(charge.shown_status, *amounts, code, MESSAGES.get(code, ""), url)
