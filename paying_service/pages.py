"""The pages that people see: where a payment's customer pays, and where developers try payments by hand.

Whoever has a payment's page has its random id, as with a real provider's page: it asks for no sign-in and believes no
cookie, so there is none that another site's form could use.
"""

import secrets
import uuid
from contextlib import suppress
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from paying_service import checkout, services, sessions
from paying_service.keys import front_url, keys, may_be_tried
from paying_service.models import Payment, Provider, Status
from paying_service.providers import simulated
from shopkit.errors import Invalid, ShopError, found
from shopkit.money import shown

CHECKOUT = "https://api.razorpay.com/v1/checkout/embedded"
CARDS = [
    ("4111111111111111", "succeeds"),
    ("4000002500003155", "asks you to confirm"),
    ("4000000000000341", "succeeds, but late"),
    ("4000000000000002", "is declined"),
    ("4000000000009995", "has insufficient funds"),
]


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class PayView(View):
    """The simulated provider's hosted page; for Razorpay, the way to its own."""

    def get(self, request: HttpRequest, payment_id: uuid.UUID) -> HttpResponse:
        payment = _paid_here(payment_id)
        with suppress(ShopError):  # as far as is known, then
            payment = checkout.look(payment_id=payment_id)
        return _page(request, payment)

    def post(self, request: HttpRequest, payment_id: uuid.UUID) -> HttpResponse:
        payment, message = _paid_here(payment_id), ""
        try:
            message = _act(payment, request)
        except ShopError as refusal:
            message = refusal.message
        payment = checkout.look(payment_id=payment_id)
        return _page(request, payment, message=message)


def _paid_here(payment_id: uuid.UUID) -> Payment:
    """A payment that has such a page; `NotFound`."""
    here = Payment.objects.filter(provider__in=(Provider.SIMULATED, Provider.RAZORPAY)).exclude(provider_ref="")
    return found(here.filter(pk=payment_id).first())


def _act(payment: Payment, request: HttpRequest) -> str:
    """What the customer did: chose a card, confirmed, gave up, or came back from Razorpay; what to tell them."""
    if payment.provider == Provider.RAZORPAY:
        sessions.verify(payment=payment, proof=request.POST.dict())
        return ""
    services.check_simulated(payment)
    if card := request.POST.get("card"):
        return simulated.choose(payment, token=card)
    if (outcome := request.POST.get("outcome")) not in ("confirm", "decline"):
        raise Invalid("Choose a card, confirm, or decline.")
    simulated.confirm(payment, accepted=outcome == "confirm")
    return ""


def _page(request: HttpRequest, payment: Payment, *, message: str = "") -> HttpResponse:
    waits = payment.status == Status.REQUIRES_ACTION
    razorpay = waits and payment.provider == Provider.RAZORPAY
    context: dict[str, Any] = {
        "payment": payment,
        "amount": shown(payment.amount),
        "message": message,
        "cards": CARDS,
        "chooses": waits and not razorpay and simulated.waits_for_card(payment),
        "confirms": waits and not razorpay and not simulated.waits_for_card(payment),
        "checkout": CHECKOUT if razorpay else "",
        "key": keys().razorpay_key_id,
        "here": request.build_absolute_uri(),
        "back": f"{front_url()}/orders/{payment.order_id}",
    }
    page = render(request, "paying_service/pay.html", context)
    return _guarded(page, f"form-action 'self' {CHECKOUT}")


class TryView(View):
    """Walks a payment through by hand: cart, order, payment, status. In open access, in development, alone."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not may_be_tried():
            raise Http404
        nonce = secrets.token_urlsafe(16)
        page = render(request, "paying_service/test.html", {"cards": CARDS, "nonce": nonce})
        return _guarded(page, f"script-src 'nonce-{nonce}'; connect-src 'self'")


def _guarded(page: HttpResponse, allowed: str) -> HttpResponse:
    """Loads nothing from anywhere, and is shown in no frame."""
    rest = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    page["Content-Security-Policy"] = f"{rest}; {allowed}"
    page["Referrer-Policy"] = "no-referrer"
    return page
