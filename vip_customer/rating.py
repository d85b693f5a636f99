"""Which tier a VIP is in: the points they earned over the last year say it, and each change is recorded."""

from datetime import datetime, timedelta
from typing import TypedDict

from django.db.models import Q, Sum
from django.utils import timezone

from vip_customer.models import Customer
from vip_customer.tiers import POINTS, Tier, tier_of

YEAR = timedelta(days=365)
REDEMPTION = "redemption:"


class Progress(TypedDict):
    """Where a VIP stands; at the top, `next_tier` and `points_to_next` are None."""

    tier: str
    points_last_year: int
    next_tier: str | None
    points_to_next: int | None


def last_year(now: datetime, prefix: str = "") -> Q:
    """The lines of the ledger that count for the tier: all of the year before `now`, but what was redeemed."""
    started, source = f"{prefix}earned_at__gt", f"{prefix}source__startswith"
    return Q(**{started: now - YEAR}) & ~Q(**{source: REDEMPTION})


def points_last_year(customer: Customer) -> int:
    lines = customer.points_entries.filter(last_year(timezone.now()))
    return lines.aggregate(points=Sum("points"))["points"] or 0


def progress(customer: Customer) -> Progress:
    points = points_last_year(customer)
    above = next((tier for tier, least in POINTS.items() if least > max(points, 0)), None)
    return {
        "tier": customer.tier,
        "points_last_year": points,
        "next_tier": above and str(above),
        "points_to_next": POINTS[above] - points if above else None,
    }


def rate(*, customer: Customer, reason: str) -> bool:
    """Puts the customer into the tier of their points, and records the change; False when they are in it.

    The caller holds the customer's row.
    """
    points = points_last_year(customer)
    before, after = Tier(customer.tier), tier_of(points)
    if before == after:
        return False
    customer.tier = after
    customer.save(update_fields=["tier", "updated_at"])
    customer.tier_changes.create(from_tier=before, to_tier=after, points=points, reason=reason)
    return True
