"""The rule by which orders earn points, and the one way into the ledger.

A paid order earns one point for each whole unit of currency (100 minor units) of its goods; shipping and tax earn
nothing. A refund takes points back, so that what an order earned is always the rule applied to its goods less what was
refunded: 29.99 earns 29 points; once 10.00 of it are refunded, 19 are left.

Each source counts once: `order:<id>`, `refund:<id>:<refunded minor units>`, `redemption:<id>`, `adjustment:<id>`.
"""

from datetime import datetime

from django.db.models import Q, Sum
from django.utils import timezone

from shopkit.customers.purchases import PAID
from vip_customer import rating
from vip_customer.models import Customer, PointsEntry, Purchase

MINOR_PER_POINT = 100


def earned(*, goods: int, refunded: int) -> int:
    """Points for goods at so much, of which so much was refunded; both in minor units."""
    return max(goods - refunded, 0) // MINOR_PER_POINT


def add(
    *, customer: Customer, source: str, points: int, earned_at: datetime | None = None, reason: str = ""
) -> PointsEntry:
    """A line of the ledger, and the balance and tier that follow; the line there is, if the source counted before.

    The caller holds the customer's row.
    """
    new = {"points": points, "reason": reason, "earned_at": earned_at or timezone.now()}
    entry, made = customer.points_entries.get_or_create(source=source, defaults=new)
    if made:
        customer.points += points
        customer.save(update_fields=["points", "updated_at"])
        rating.rate(customer=customer, reason=source)
    return entry


def credit(*, customer: Customer, purchase: Purchase) -> None:
    """Adds what the ledger lacks of an order's points, however often it is asked.

    The caller holds the customer's row.
    """
    if purchase.status not in PAID:
        return
    order, goods, at = purchase.order_id, purchase.goods, purchase.placed_at
    if whole := earned(goods=goods, refunded=0):
        add(customer=customer, source=f"order:{order}", points=whole, earned_at=at)
    due = earned(goods=goods, refunded=purchase.refunded) - _booked(customer, order)
    if due:
        add(customer=customer, source=f"refund:{order}:{purchase.refunded}", points=due, earned_at=at)


def _booked(customer: Customer, order_id: str) -> int:
    lines = customer.points_entries.filter(Q(source=f"order:{order_id}") | Q(source__startswith=f"refund:{order_id}:"))
    return lines.aggregate(points=Sum("points"))["points"] or 0
