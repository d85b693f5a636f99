"""The simulated provider: what a real one would do, by test card, with books of its own and news signed with a secret.

It stands where a provider's API would, so each function is one request of ours to it: it takes an idempotency key, and
answers with a `Charge`. `sign` is what it would put into a webhook's header.
"""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from paying_service.models import SimulatedCharge
from shopkit.errors import Conflict, Invalid, Unauthenticated

CARDS = {
    "4111111111111111": "succeeds",
    "4000000000000002": "declined",
    "4000000000009995": "insufficient_funds",
    "4000002500003155": "needs_confirmation",
    "4000000000000341": "succeeds_late",
}
"""The test cards. What is kept of one is its word, never its number."""
LATE = timedelta(seconds=2)
SKEW = 300  # seconds that a webhook's time may differ from ours
MESSAGES = {"declined": "The card was declined.", "insufficient_funds": "The card has insufficient funds."}


@dataclass(frozen=True)
class Charge:
    """A charge as the provider has it: `status` is one of a payment's."""

    ref: str
    status: str
    captured: int = 0
    refunded: int = 0
    failure_code: str = ""
    failure_message: str = ""


def handle_of(token: str) -> str:
    """What the provider knows a card by; `Invalid("invalid_token")` for no test card."""
    word = CARDS.get("".join(token.split()))
    if word is None:
        message = f"The simulated provider takes its test cards only: {', '.join(CARDS)}."
        raise Invalid(message, code="invalid_token", details={"token": [message]})
    return word


def authorise(*, key: str, handle: str, amount: int) -> Charge:
    """Asks for the money; the same charge again for the same key."""
    ready = timezone.now() + LATE if handle == "succeeds_late" else None
    fields = {"handle": handle, "amount": amount, "status": _FIRST[handle], "ready_at": ready}
    SimulatedCharge.objects.get_or_create(key=key, defaults=fields)
    return fetch(ref=key)


_FIRST = {
    "succeeds": "authorised",
    "declined": "failed",
    "insufficient_funds": "failed",
    "needs_confirmation": "requires_action",
    "succeeds_late": "pending",
}


def fetch(*, ref: str) -> Charge:
    """The charge as it is now; one that is late is authorised once its time has come, one it never heard of waits."""
    late = SimulatedCharge.objects.filter(key=ref, status="pending", ready_at__lte=timezone.now())
    late.update(status="authorised")
    charge = SimulatedCharge.objects.filter(key=ref).first()
    return _shown(charge) if charge else Charge(ref, "pending")


def confirm(*, ref: str, accepted: bool) -> Charge:
    """What the customer did on the provider's page; `Conflict("nothing_to_confirm")` when there is nothing to do."""
    waiting = SimulatedCharge.objects.filter(key=ref, status="requires_action")
    if not waiting.update(status="authorised" if accepted else "failed"):
        raise Conflict("There is nothing to confirm.", code="nothing_to_confirm")
    return fetch(ref=ref)


def capture(*, ref: str) -> Charge:
    """Takes the money, once; the charge as it is, if it can't be taken."""
    with transaction.atomic():
        charge = SimulatedCharge.objects.select_for_update().get(key=ref)
        if charge.status == "authorised":
            charge.status, charge.captured = "captured", charge.amount
            charge.save()
    return fetch(ref=ref)


def void(*, ref: str) -> Charge:
    """Lets go of the money, unless it was taken; the charge as it is then."""
    # one that is not there yet is void before it comes
    SimulatedCharge.objects.get_or_create(key=ref, defaults={"handle": "", "amount": 0, "status": "voided"})
    open_ones = SimulatedCharge.objects.filter(key=ref, status__in=("pending", "requires_action", "authorised"))
    open_ones.update(status="voided")
    return fetch(ref=ref)


def refund(*, ref: str, key: str, amount: int) -> Charge:
    """Gives back so much, once for each key; `Conflict("refund_exceeds_capture")`."""
    with transaction.atomic():
        charge = SimulatedCharge.objects.select_for_update().get(key=ref)
        if key not in charge.refunds:
            if sum(charge.refunds.values()) + amount > charge.captured:
                raise Conflict("That is more than was taken.", code="refund_exceeds_capture")
            charge.refunds[key] = amount
            charge.save()
    return fetch(ref=ref)


def _shown(charge: SimulatedCharge) -> Charge:
    refunded = sum(charge.refunds.values())
    code = charge.handle if charge.handle in MESSAGES else ("not_confirmed" if charge.status == "failed" else "")
    code = code if charge.status == "failed" else ""
    status = charge.status
    if refunded:
        status = "refunded" if refunded == charge.captured else "partially_refunded"
    return Charge(charge.key, status, charge.captured, refunded, code, MESSAGES.get(code, ""))


def sign(body: bytes, *, secret: str, at: int) -> str:
    """`t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`, as Stripe's webhooks have it."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


_SIGNATURE = re.compile("t=(?P<at>[0-9]{1,12}),v1=[0-9a-f]{64}")


def check_signature(body: bytes, header: str) -> None:
    """`Unauthenticated`, `bad_signature` or `stale_webhook`, unless one of the live secrets made it just now."""
    given = _SIGNATURE.fullmatch(header)
    at = int(given["at"]) if given else 0
    made = [sign(body, secret=secret, at=at) for secret in settings.SIMULATED_SECRETS]  # type: ignore[misc]
    if not any(hmac.compare_digest(each.encode(), header.encode()) for each in made):
        raise Unauthenticated("This webhook is not signed by the provider.", code="bad_signature")
    if abs(time.time() - at) > SKEW:
        raise Unauthenticated("This webhook is too old, or of the future.", code="stale_webhook")
