"""Razorpay, by its own SDK: an order for each payment, which its customer pays on Razorpay's page, captured by hand.

Its orders have no idempotency key, so one is looked for by its receipt before it is made. Nothing can be voided there:
what is not captured goes back to the customer by itself.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import razorpay
import requests
import structlog
from razorpay.errors import BadRequestError, GatewayError, ServerError

from paying_service.keys import keys
from paying_service.models import Payment, Status
from paying_service.providers import webhook
from paying_service.providers.port import Begun, Charge, Event, payment_refused
from shopkit.errors import Conflict, Invalid, Unavailable
from shopkit.signature import check_time

DEADLINE = (3.0, 10.0)  # seconds to connect, and to be answered
CHECKOUT = "https://api.razorpay.com/v1/checkout/embedded"
Shape = dict[str, Any]
"""A payment, as Razorpay sends it."""

_STATUS = {"authorized": Status.AUTHORISED, "captured": Status.CAPTURED, "refunded": Status.CAPTURED}
_BEST = ("captured", "refunded", "authorized")
log = structlog.get_logger()


@cache
def _client_of(key_id: str, secret: str) -> Any:
    client = razorpay.Client(auth=(key_id, secret))
    client.session.hooks["response"].append(_check_let_in)
    return client


def _check_let_in(response: requests.Response, **_: object) -> None:
    """Who has wrong keys, or asks too often, was refused nothing; the SDK tells that by its words alone."""
    if response.status_code in (401, 403, 408, 429):
        raise requests.HTTPError(f"{response.status_code}")


@contextmanager
def asking() -> Iterator[Any]:
    """Around calls: a refusal goes through as the SDK's; anything else is `Unavailable`, and its outcome not known."""
    try:
        yield _client_of(keys().razorpay_key_id, keys().razorpay_key_secret)
    except (GatewayError, ServerError, requests.RequestException, ValueError) as error:
        log.warning("razorpay gave no answer", error=type(error).__name__)
        raise Unavailable("Razorpay is not available; try again soon.", headers={"Retry-After": "1"}) from error


def public_key() -> str:
    return keys().razorpay_key_id


def handle_of(token: str) -> str:
    """Nothing is paid with a token here; `Invalid("invalid_token")`."""
    message = "Razorpay's customers pay on its page: send no token, and follow action_url."
    raise Invalid(message, code="invalid_token", details={"token": [message]})


def begin(payment: Payment) -> Begun:
    """Its order, the one there is or a new one; the page posts the customer on to Razorpay's."""
    ref = payment.provider_ref
    if not ref:
        with _trusted(), asking() as api:
            made = api.order.all({"receipt": str(payment.pk)}, timeout=DEADLINE)["items"]
        ref = made[0]["id"] if made else _made(payment)["id"]
    return Begun(ref, page_of(payment))


def _made(payment: Payment) -> Shape:
    try:
        with asking() as api:
            made: Shape = api.order.create(_order(payment), timeout=DEADLINE)
    except BadRequestError as refusal:  # too small or too large an amount, say
        log.warning("razorpay refused", error=str(refusal)[:200])
        raise payment_refused() from refusal
    return made


def page_of(payment: Payment) -> str:
    return f"/api/payments/{payment.pk}/pay/"


def _order(payment: Payment) -> Shape:
    return {
        "amount": payment.amount,
        "currency": payment.currency,
        "receipt": str(payment.pk),
        "partial_payment": False,
        "payment": {"capture": "manual"},
        "notes": {"payment_id": str(payment.pk), "order_id": str(payment.order_id)},
    }


@contextmanager
def _trusted() -> Iterator[None]:
    """Around what can't be refused, only misconfigured."""
    try:
        yield
    except BadRequestError as refusal:
        log.error("razorpay refused", error=str(refusal)[:200])
        raise Unavailable("Razorpay does not take this request.") from refusal


def authorise(payment: Payment) -> Charge:
    """How far the customer is: the money is asked for on the page."""
    return fetch(payment)


def fetch(payment: Payment) -> Charge:
    """The best of what its customer tried."""
    tried = _tried(payment)
    best = next((each for word in _BEST for each in tried if each["status"] == word), None)
    if best is None:
        return Charge(Status.REQUIRES_ACTION, payment.amount, payment.currency, action_url=page_of(payment))
    captured = best["amount"] if best["captured"] or best["status"] == "captured" else 0
    refunded = best["amount_refunded"] or 0
    status = _STATUS[best["status"]] if captured or best["status"] == "authorized" else Status.VOIDED
    if captured and refunded:
        status = Status.REFUNDED if refunded == captured else Status.PARTIALLY_REFUNDED
    return Charge(status, best["amount"], best["currency"], captured, refunded if captured else 0)


def _tried(payment: Payment) -> list[Shape]:
    with _trusted(), asking() as api:
        found: list[Shape] = api.order.payments(payment.provider_ref, timeout=DEADLINE)["items"]
    return found


def _of_status(payment: Payment, *statuses: str) -> Shape | None:
    return next((each for each in _tried(payment) if each["status"] in statuses), None)


def capture(payment: Payment) -> Charge:
    """Takes what was authorised; the charge as it is, if it can't be taken."""
    ready = _of_status(payment, "authorized")
    if ready and (ready["amount"], ready["currency"]) == (payment.amount, payment.currency):
        try:
            with asking() as api:
                api.payment.capture(ready["id"], ready["amount"], {"currency": ready["currency"]}, timeout=DEADLINE)
        except BadRequestError as refusal:  # captured before, say; how it is, the next look says
            log.info("razorpay refused", error=str(refusal)[:200])
    return fetch(payment)


def void(payment: Payment) -> Charge:
    """Never captured, it goes back by itself; what is paid on the page later, too."""
    charge = fetch(payment)
    return charge if charge.captured else replace(charge, status=Status.VOIDED, action_url="")


def refund(payment: Payment, *, key: str, amount: int) -> Charge:
    """Gives back so much, once for each key."""
    taken = _of_status(payment, "captured", "refunded")
    if taken is None:
        raise Conflict("Nothing was taken.", code="not_captured")
    if not any(each["receipt"] == key for each in _refunds(taken["id"])):
        if amount > taken["amount"] - (taken["amount_refunded"] or 0):
            raise Conflict("That is more than was taken.", code="refund_exceeds_capture")
        _give_back(taken["id"], key, amount)
    return fetch(payment)


def failed_refunds(payment: Payment) -> dict[str, str]:
    """Razorpay does not say why."""
    taken = _of_status(payment, "captured", "refunded")
    made = _refunds(taken["id"]) if taken else []
    return {each["receipt"]: "failed" for each in made if each["status"] == "failed"}


def _refunds(paid: str) -> list[Shape]:
    with _trusted(), asking() as api:
        made: list[Shape] = api.payment.fetch_multiple_refund(paid, {"count": 100}, timeout=DEADLINE)["items"]
    return made


def _give_back(paid: str, key: str, amount: int) -> None:
    """What is refused may be under way (409), which the SDK does not tell from other refusals: it is asked again."""
    headers = {"X-Refund-Idempotency": key}
    with _trusted(), asking() as api:
        api.payment.refund(paid, {"amount": amount, "receipt": key}, headers=headers, timeout=DEADLINE)


def check_proof(payment: Payment, proof: Mapping[str, str]) -> None:
    """Razorpay's signature of its order and payment; `Invalid("bad_signature")`."""
    signed = f"{payment.provider_ref}|{proof.get('razorpay_payment_id', '')}".encode()
    made = _mac(signed, keys().razorpay_key_secret)
    if not hmac.compare_digest(made.encode(), proof.get("razorpay_signature", "").encode()):
        raise Invalid("This is not signed by Razorpay.", code="bad_signature")


def parse_webhook(body: bytes, headers: Mapping[str, str]) -> Event:
    """An event, by its `X-Razorpay-Signature`; its id is in a header, and its time in the body."""
    given = headers.get("X-Razorpay-Signature", "").encode()
    if not any(hmac.compare_digest(_mac(body, each).encode(), given) for each in keys().razorpay_webhook_secrets):
        raise webhook.unsigned()
    sent = webhook.parsed(body)
    try:
        check_time(int(sent["created_at"]))
        return webhook.checked(_event(headers.get("X-Razorpay-Event-Id", ""), sent["payload"]))
    except (LookupError, TypeError, AttributeError, ValueError):
        raise webhook.malformed() from None


def _event(event_id: str, payload: Shape) -> Event:
    if "payment" not in payload:
        return Event(event_id)
    paid = payload["payment"]["entity"]
    return Event(event_id, paid.get("order_id") or "", "", paid["amount"], paid["currency"])


def _mac(text: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
