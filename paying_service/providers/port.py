"""What a provider is to us: the one shape of its adapters, each of which is a module of this folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from paying_service.models import Payment
from shopkit.errors import Conflict


@dataclass(frozen=True)
class Begun:
    """What the customer pays on: the provider's name for it, its page's URL, and a secret for the browser."""

    ref: str
    url: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Charge:
    """A payment as the provider has it: `status` is one of a payment's; amounts in minor units."""

    status: str
    amount: int
    currency: str
    captured: int = 0
    refunded: int = 0
    failure_code: str = ""
    failure_message: str = ""
    action_url: str = ""


@dataclass(frozen=True)
class Event:
    """What a webhook says: its id, and the payment it is about, by the provider's name for it or by ours.

    `amount` (minor units) and `currency` are those of the payment, where the event has them.
    """

    id: str
    ref: str = ""
    payment_id: str = ""
    amount: int | None = None
    currency: str = ""


def payment_refused() -> Conflict:
    """What the provider refuses to begin; why, in its words, is for the log."""
    return Conflict("The provider does not take this payment.", code="payment_refused")


class Port(Protocol):
    """One provider. Each call may be repeated, and has a deadline.

    What it refuses is in the `Charge` that it answers; a `ShopError` of 5xx is an outcome that is not known.
    """

    def public_key(self) -> str:
        """What the customer's browser names the shop by at the provider; empty where it needs none."""

    def handle_of(self, token: str) -> str:
        """What the provider knows a card by; `Invalid("invalid_token")`, for a card number too."""

    def begin(self, payment: Payment) -> Begun:
        """Makes what the customer pays on; nothing is charged. The same again for a payment that has its `ref`.

        `Conflict("payment_refused")`.
        """

    def authorise(self, payment: Payment) -> Charge:
        """Asks for the money of a payment that was begun; the customer's page asks for it where they pay there."""

    def fetch(self, payment: Payment) -> Charge:
        """The charge as it is now."""

    def capture(self, payment: Payment) -> Charge:
        """Takes the money; the charge as it is, if it can't be taken."""

    def void(self, payment: Payment) -> Charge:
        """Lets go of the money, unless it was taken; the charge as it is then."""

    def refund(self, payment: Payment, *, key: str, amount: int) -> Charge:
        """Gives back so much, once for each key; `Conflict` when it is refused for good."""

    def failed_refunds(self, payment: Payment) -> dict[str, str]:
        """Of the refunds that it took and could not make after all: by their keys, why."""

    def check_proof(self, payment: Payment, proof: Mapping[str, str]) -> None:
        """`Invalid("bad_signature")` when what the customer's browser brought is not the provider's word."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """`Unauthenticated`: `bad_signature`, `stale_webhook`; `Invalid("malformed_webhook")`."""
