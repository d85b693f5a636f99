"""The providers: which there are, and which of them a new payment may use."""

from paying_service.keys import keys
from paying_service.models import Provider
from paying_service.providers.port import Port
from shopkit.config import config
from shopkit.errors import Invalid, Unavailable


def offered() -> list[str]:
    """Those with keys; and the simulated one, but in production only where there is no other: it takes no money."""
    real: list[str] = []
    if keys().stripe_secret_key:
        real.append(Provider.STRIPE)
    if keys().razorpay_key_id and keys().razorpay_key_secret:
        real.append(Provider.RAZORPAY)
    return real if real and config().production else [Provider.SIMULATED, *real]


def chosen(name: str) -> Port:
    """The provider of a new payment; `Invalid("unknown_provider")`, naming those there are."""
    if name not in offered():
        message = f"This shop takes payments by {', '.join(offered())}."
        raise Invalid(message, code="unknown_provider", details={"provider": [message]})
    return of(name)


def of(name: str) -> Port:
    """The provider of a payment there is; `Unavailable` once its keys are gone."""
    if name == Provider.SIMULATED:
        from paying_service.providers import simulated

        return simulated
    if name not in offered():
        raise Unavailable(f"The keys for {name} are missing.")
    if name == Provider.STRIPE:  # an SDK is imported where it is used: both are large
        from paying_service.providers import stripe

        return stripe
    from paying_service.providers import razorpay

    return razorpay
