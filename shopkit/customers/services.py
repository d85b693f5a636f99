"""What can be done to customers of any type."""

from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from shopkit.errors import found

_DEFAULTS = ("default_shipping", "default_billing")


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

    `NotFound` when the customer has been anonymised meanwhile.
    """
    customers = type(address.customer).objects.select_for_update()  # one change of defaults at a time
    found(customers.filter(pk=address.customer_id, anonymised_at=None).first())
    address.save()
    for default in _DEFAULTS:
        if getattr(address, default):
            address.customer.addresses.exclude(pk=address.pk).filter(**{default: True}).update(**{default: False})
    return address  # type: ignore[no-any-return]
