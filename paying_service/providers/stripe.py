"""Stripe, by its own SDK: payment intents that are captured by hand, with a card or by a checkout session."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import stripe
import structlog
from stripe import V1Services

from paying_service.keys import front_url, keys
from paying_service.models import Payment, Status
from paying_service.providers.port import Begun, Charge, payment_refused
from paying_service.providers.stripe_events import parse_webhook as parse_webhook
from shopkit.errors import Conflict, Invalid, Unavailable

DEADLINE = (3.0, 10.0)  # seconds to connect, and to be answered
Shape = dict[str, Any]
"""A payment intent or a checkout session, as Stripe sends it."""

_CARD = re.compile("pm_(?![A-Za-z0-9_]*[0-9]{12})[A-Za-z0-9_]{1,90}")  # so many digits could be a card's number
_WITHOUT_CARD = ("requires_payment_method", "requires_confirmation")
_STATUS = {
    "requires_action": Status.REQUIRES_ACTION,
    "requires_capture": Status.AUTHORISED,
    "succeeded": Status.CAPTURED,
    "canceled": Status.VOIDED,
}
_NOT_MADE = ("failed", "canceled")
REFUSALS = (stripe.CardError, stripe.InvalidRequestError)
log = structlog.get_logger()


@cache
def _client_of(key: str) -> V1Services:
    http = stripe.RequestsClient(timeout=DEADLINE)
    return stripe.StripeClient(key, http_client=http, max_network_retries=0).v1


@contextmanager
def asking() -> Iterator[V1Services]:
    """Around calls: a refusal goes through as the SDK's; anything else is `Unavailable`, and its outcome not known."""
    try:
        yield _client_of(keys().stripe_secret_key)
    except REFUSALS:
        raise
    except stripe.StripeError as error:
        log.warning("stripe gave no answer", error=type(error).__name__, code=error.code, request=error.request_id)
        raise Unavailable("Stripe is not available; try again soon.", headers={"Retry-After": "1"}) from error


def public_key() -> str:
    return keys().stripe_publishable_key


def handle_of(token: str) -> str:
    """A payment method's id (`pm_…`), which Stripe's script makes of a card; `Invalid("invalid_token")`."""
    if not _CARD.fullmatch(token):
        message = "Stripe takes the id of a payment method (pm_…); a card's number goes to Stripe alone."
        raise Invalid(message, code="invalid_token", details={"token": [message]})
    return token


def begin(payment: Payment) -> Begun:
    """A checkout session where the customer pays on Stripe's page, else an intent. The same again once there is one."""
    with asking() as api:
        made = _found(payment, api) if payment.provider_ref else _made(payment, api)
    return Begun(made["id"], made.get("url") or "", made.get("client_secret") or "")


def _made(payment: Payment, api: V1Services) -> Shape:
    once: Any = {"idempotency_key": f"{payment.pk}:begin"}
    try:
        if payment.handle == Payment.HOSTED:
            return api.checkout.sessions.create(_session(payment), once).to_dict()
        return api.payment_intents.create(_intent(payment), once).to_dict()
    except REFUSALS as refusal:  # too small or too large an amount, say
        log.warning("stripe refused", code=refusal.code, request=refusal.request_id)
        raise payment_refused() from refusal


def _intent(payment: Payment) -> Any:
    return {
        "amount": payment.amount,
        "currency": payment.currency.lower(),
        "capture_method": "manual",
        "payment_method_types": ["card"],
        "metadata": _names(payment),
    }


def _session(payment: Payment) -> Any:
    price = {
        "unit_amount": payment.amount,
        "currency": payment.currency.lower(),
        "product_data": {"name": f"Order {payment.order_id}"},
    }
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": {"capture_method": "manual", "metadata": _names(payment)},
        "metadata": _names(payment),
        "client_reference_id": str(payment.order_id),
        "success_url": _back(payment),
        "cancel_url": _back(payment),
    }


def _names(payment: Payment) -> dict[str, str]:
    return {"payment_id": str(payment.pk), "order_id": str(payment.order_id)}


def _back(payment: Payment) -> str:
    return f"{front_url()}/orders/{payment.order_id}"


def authorise(payment: Payment) -> Charge:
    """Confirms an intent with its card, once; where the customer pays by themselves, says how far they are."""
    with asking() as api:
        found = _found(payment, api)
        if payment.handle in (Payment.HOSTED, Payment.INTENT) or not _is_to_be_confirmed(found):
            return _shown(found, payment)
        asked: Any = {"payment_method": payment.handle, "return_url": _back(payment), "expand": ["latest_charge"]}
        try:
            key = {"idempotency_key": f"{payment.pk}:confirm"}
            return _shown(api.payment_intents.confirm(payment.provider_ref, asked, key).to_dict(), payment)  # type: ignore[arg-type]
        except REFUSALS as refusal:
            return _declined(_found(payment, api), payment, refusal)


def _is_to_be_confirmed(intent: Shape) -> bool:
    return intent["status"] in _WITHOUT_CARD and not intent.get("last_payment_error")


def _declined(intent: Shape, payment: Payment, refusal: stripe.StripeError) -> Charge:
    charge = _shown(intent, payment)
    if intent["status"] not in _WITHOUT_CARD or charge.status == Status.FAILED:
        return charge
    return replace(charge, status=Status.FAILED, failure_code=refusal.code or "declined")


def fetch(payment: Payment) -> Charge:
    with asking() as api:
        return _shown(_found(payment, api), payment)


def capture(payment: Payment) -> Charge:
    """Takes what was authorised; the charge as it is, if it can't be taken."""
    with asking() as api:
        intent = _intent_of(_found(payment, api))
        if intent and intent["status"] == "requires_capture":
            _unless_refused(api.payment_intents.capture, intent["id"], f"{payment.pk}:capture")
        return _shown(_found(payment, api), payment)


def void(payment: Payment) -> Charge:
    """Ends an open session, and cancels the intent, if there is one that can be."""
    with asking() as api:
        found = _found(payment, api)
        if found["object"] == "checkout.session" and found["status"] == "open":
            _unless_refused(api.checkout.sessions.expire, found["id"], f"{payment.pk}:expire")
            found = _found(payment, api)
        intent = _intent_of(found)
        if intent and intent["status"] not in ("succeeded", "canceled"):
            _unless_refused(api.payment_intents.cancel, intent["id"], f"{payment.pk}:cancel")
        return _shown(_found(payment, api), payment)


def _unless_refused(ask: Any, name: str, key: str) -> None:
    """What is refused was overtaken; how it is then, the next look says."""
    try:
        ask(name, {}, {"idempotency_key": key})
    except REFUSALS as refusal:
        log.info("stripe refused", code=refusal.code, request=refusal.request_id)


def refund(payment: Payment, *, key: str, amount: int) -> Charge:
    """Gives back so much, once for each key: Stripe forgets keys after a day, so its refunds are looked through."""
    with asking() as api:
        intent = _intent_of(_found(payment, api))
        if intent is None:
            raise Conflict("Nothing was taken.", code="not_captured")
        if not any(_key_of(each) == key for each in _refunds(api, intent)):
            _give_back(api, intent, amount, {**_names(payment), "refund_id": key})
        return _shown(_found(payment, api), payment)


def failed_refunds(payment: Payment) -> dict[str, str]:
    with asking() as api:
        intent = _intent_of(_found(payment, api))
        made = _refunds(api, intent) if intent else []
    return {_key_of(each): each.get("failure_reason") or each["status"] for each in made if each["status"] in _NOT_MADE}


def _refunds(api: V1Services, intent: Shape) -> list[Shape]:
    found: list[Shape] = api.refunds.list({"payment_intent": intent["id"], "limit": 100}).to_dict()["data"]
    return found


def _key_of(refund: Shape) -> str:
    return (refund.get("metadata") or {}).get("refund_id") or ""


def _give_back(api: V1Services, intent: Shape, amount: int, names: dict[str, str]) -> None:
    asked: Any = {"payment_intent": intent["id"], "amount": amount, "metadata": names}
    try:
        api.refunds.create(asked, {"idempotency_key": f"{names['refund_id']}:refund"})
    except REFUSALS as refusal:
        raise Conflict("Stripe refuses this refund.", code="refund_refused") from refusal


def _found(payment: Payment, api: V1Services) -> Shape:
    """The session, with its intent in it, or the intent."""
    try:
        if payment.provider_ref.startswith("cs_"):
            wanted: Any = {"expand": ["payment_intent.latest_charge"]}
            return api.checkout.sessions.retrieve(payment.provider_ref, wanted).to_dict()
        return api.payment_intents.retrieve(payment.provider_ref, {"expand": ["latest_charge"]}).to_dict()
    except REFUSALS as refusal:  # with another account's keys, say
        raise Unavailable("Stripe does not know this payment.") from refusal


def _intent_of(found: Shape) -> Shape | None:
    intent: Shape | None = found if found["object"] == "payment_intent" else found["payment_intent"]
    return intent


def _shown(found: Shape, payment: Payment) -> Charge:
    intent = _intent_of(found)
    if found["object"] == "checkout.session" and (found["status"] != "complete" or intent is None):
        status = {"open": Status.REQUIRES_ACTION, "expired": Status.VOIDED}.get(found["status"], Status.PENDING)
        amount, currency = found["amount_total"], found["currency"].upper()
        return Charge(status, amount, currency, action_url=found.get("url") or "")
    assert intent is not None
    return _charge(intent, payment)


def _charge(intent: Shape, payment: Payment) -> Charge:
    error = intent.get("last_payment_error") or {}
    refunded = (intent.get("latest_charge") or {}).get("amount_refunded", 0)
    final = payment.handle not in (Payment.HOSTED, Payment.INTENT)  # there, the customer may try another card
    failed = bool(error) and final and intent["status"] in _WITHOUT_CARD
    status = Status.FAILED if failed else _STATUS.get(intent["status"], Status.PENDING)
    if refunded:
        status = Status.REFUNDED if refunded >= intent["amount_received"] else Status.PARTIALLY_REFUNDED
    return Charge(
        status,
        intent["amount"],
        intent["currency"].upper(),
        intent["amount_received"],
        refunded,
        (error.get("decline_code") or error.get("code") or "declined") if failed else "",
        error.get("message") or "" if failed else "",
        ((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or "",
    )


def check_proof(payment: Payment, proof: Mapping[str, str]) -> None:
    """There is none: Stripe is asked."""
