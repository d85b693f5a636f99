"""What can be done to guests: begin, come back, and be forgotten."""

from django.utils import timezone

from guest_customer.models import Customer
from shopkit.customers import sessions
from shopkit.customers.services import anonymise
from shopkit.errors import Unauthenticated


def begin() -> tuple[Customer, sessions.Pair]:
    """A new guest and their session."""
    guest = Customer.objects.create(expires_at=timezone.now() + sessions.LIFETIME)
    return guest, sessions.open_session(subject=guest.pk, customer_type="guest")


def come_back(*, guest_id: str) -> None:
    """Puts off forgetting; `Unauthenticated` for a guest who is not here, or is somebody else by now."""
    here = Customer.objects.filter(pk=guest_id, moved_to="", moving_to="", anonymised_at=None)
    if not here.update(expires_at=timezone.now() + sessions.LIFETIME):
        raise Unauthenticated("This guest is not here any more; log in, or begin anew.", code="invalid_refresh")


def forget_expired() -> int:
    """Forgets the guests whose time is up; how many. What they ordered stays countable."""
    expired = Customer.objects.filter(expires_at__lt=timezone.now(), anonymised_at=None, moving_to="")
    for guest in expired.order_by("expires_at")[:500]:
        anonymise(customer=guest)
    return sessions.forget_ended()
