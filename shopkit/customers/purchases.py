"""What customers bought, as the order service told: kept in their own service, so that it can count what they spent."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from shopkit import rows
from shopkit.customers.services import check_settled

PAID = ("paid", "fulfilling", "shipped", "delivered", "refunded")
"""The statuses of an order for which money was taken."""


@transaction.atomic
def keep(*, customer: Any, order_id: str, version: int, **told: Any) -> bool:
    """Keeps what was told of an order; False, and nothing changes, unless `version` is above the one kept.

    `told` has the other fields of a `PurchaseBase`. The caller holds the customer's row. `Conflict("moving")` while
    the customer is about to leave.
    """
    check_settled(customer)
    purchase = customer.purchases.model
    kept = rows.find(purchase, {"customer": customer, "order_id": order_id})
    if kept is None:
        rows.insert(purchase(customer=customer, order_id=order_id, order_version=version, **told))
        return True
    return version > kept.order_version and bool(rows.update(purchase, {"pk": kept.pk}, order_version=version, **told))


def spent(*, customer: Any, since: datetime) -> int:
    """In minor units: the goods, less what was refunded, of the paid orders placed since then."""
    paid = customer.purchases.filter(status__in=PAID, placed_at__gte=since, refunded__lt=F("goods"))
    return paid.aggregate(spent=Sum(F("goods") - F("refunded")))["spent"] or 0
