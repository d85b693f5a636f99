"""What can be done to customers of any type."""

from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from shopkit.errors import Conflict, found

MAX_VIEWED = 100
_DEFAULTS = ("default_shipping", "default_billing")


def check_settled(customer: Any) -> None:
    """`Conflict("moving")` while the customer is about to leave, or has just left: what is written now is lost."""
    if customer.moving_to or customer.moved_to:
        message = "This customer is moving to another service just now; try again soon."
        raise Conflict(message, code="moving", headers={"Retry-After": "1"})


@transaction.atomic
def record_view(*, customer: Any, item_id: str) -> Any:
    """The item becomes the last one looked at; beyond `MAX_VIEWED` the oldest are forgotten.

    The caller holds the customer's row. `Conflict("moving")` while the customer is about to leave.
    """
    check_settled(customer)
    viewed = customer.viewed_items.filter(item_id=item_id).first() or customer.viewed_items.model(customer=customer)
    viewed.item_id, viewed.viewed_at = item_id, timezone.now()
    viewed.save()
    too_many = list(customer.viewed_items.values_list("pk", flat=True)[MAX_VIEWED:])
    customer.viewed_items.filter(pk__in=too_many).delete()
    return viewed


@transaction.atomic
def anonymise(*, customer: Any) -> None:
    """Forgets who the customer is; the record and its id stay, so that orders still have somebody to belong to."""
    customer.forget()
    customer.viewed_items.all().delete()
    customer.anonymised_at = timezone.now()
    customer.save()


@transaction.atomic
def keep_address(*, address: Any) -> Model:
    """Saves an address; where it is a default, the customer's other addresses are no longer.

    `NotFound` when the customer has been anonymised meanwhile; `Conflict("moving")` when they are about to leave.
    """
    _hold(address)
    address.save()
    for default in _DEFAULTS:
        if getattr(address, default):
            address.customer.addresses.exclude(pk=address.pk).filter(**{default: True}).update(**{default: False})
    return address  # type: ignore[no-any-return]


@transaction.atomic
def drop_address(*, address: Any) -> None:
    """Deletes an address. Errors as in `keep_address`."""
    _hold(address)
    address.delete()


def _hold(address: Any) -> None:
    """Takes the customer's row: one change of their addresses at a time, and none while they are about to leave."""
    customers = type(address.customer).objects.select_for_update()
    check_settled(found(customers.filter(pk=address.customer_id, anonymised_at=None).first()))
