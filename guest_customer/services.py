"""What can be done to guests: begin, come back, and be forgotten."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from guest_customer.models import Customer
from shopkit.customers import sessions
from shopkit.customers.services import anonymise, check_settled
from shopkit.errors import Unauthenticated

AT_A_TIME = 500


def begin() -> tuple[Customer, sessions.Pair]:
    """A new guest and their session."""
    guest = Customer.objects.create(expires_at=timezone.now() + sessions.LIFETIME)
    return guest, sessions.open_session(subject=guest.pk, customer_type="guest")


def come_back(*, guest_id: str) -> None:
    """Puts off forgetting; `Unauthenticated` for a guest who is not here, or is somebody else by now.

    Who is about to leave has not left: the move may be undone, and they need their session then.
    """
    here = Customer.objects.filter(pk=guest_id, moved_to="", anonymised_at=None)
    if not here.update(expires_at=timezone.now() + sessions.LIFETIME):
        raise Unauthenticated("This guest is not here any more; log in, or begin anew.", code="invalid_refresh")


@transaction.atomic
def hand_over(*, guest_id: str, customer_id: str, customer_type: str) -> None:
    """What the guest ordered is that customer's, and counts there alone: not here too, should the guest register.

    May be repeated. `Conflict("moving")` while the guest is about to leave.
    """
    guest = Customer.objects.select_for_update().filter(pk=guest_id, moved_to="").first()
    if guest is not None:
        check_settled(guest)
        guest.purchases.all().delete()


def forget_expired() -> None:
    """Forgets the guests whose time is up, and the sessions that have ended."""
    for guest_id in list(_expired().order_by("expires_at").values_list("pk", flat=True)[:AT_A_TIME]):
        _forget(guest_id)
    sessions.forget_ended()


def _expired() -> "QuerySet[Customer]":
    return Customer.objects.filter(expires_at__lt=timezone.now(), anonymised_at=None, moved_to="", moving_to="")


@transaction.atomic
def _forget(guest_id: str) -> None:
    """What they ordered stays countable; of who ordered nothing, nothing stays. Not if they have just come back."""
    guest = _expired().select_for_update().filter(pk=guest_id).first()
    if guest is None:
        return
    if guest.purchases.exists():
        anonymise(customer=guest)
    else:
        guest.delete()
