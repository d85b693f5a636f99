"""What can be done to VIPs: their orders counted, points adjusted, benefits redeemed, tiers reviewed."""

import secrets
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from shopkit import topology
from shopkit.customers import purchases
from shopkit.customers.services import anonymise, check_settled
from shopkit.errors import Forbidden, found
from shopkit.outbox import services as outbox
from vip_customer import points, rating
from vip_customer.benefits import GOOD_FOR, Standing, standing
from vip_customer.models import Benefit, Customer, PointsEntry, Redemption
from vip_customer.tiers import tier_of

BATCH = 200
FORGOTTEN = "customer_forgotten"
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that are read for another


@transaction.atomic
def forget(*, customer: Customer) -> None:
    """Anonymises a VIP, whose account is closed where it is kept."""
    anonymise(customer=customer)
    outbox.put(kind=FORGOTTEN, payload={"keeper": topology.account_keeper().name, "customer_id": customer.pk})


@transaction.atomic
def keep_order(*, customer: Customer, order_id: str, **told: Any) -> bool:
    """As `purchases.keep`, and the order's points along with it."""
    applied = purchases.keep(customer=customer, order_id=order_id, **told)
    if applied:
        points.credit(customer=customer, purchase=customer.purchases.get(order_id=order_id))
    return applied


@transaction.atomic
def adjust_points(*, customer: Customer, change: int, reason: str) -> PointsEntry:
    """Staff give or take points, which count for the tier too. The caller holds the customer's row.

    `Conflict("moving")` while the customer is about to leave.
    """
    check_settled(customer)
    return points.add(customer=customer, source=f"adjustment:{uuid.uuid4()}", points=change, reason=reason)


@transaction.atomic
def redeem(*, customer: Customer, benefit_id: int) -> Redemption:
    """The customer takes a benefit of their tier and pays its points. The caller holds the customer's row.

    `NotFound`; `Forbidden("not_your_tier")`; `Conflict` with the code `limit_reached`, `not_enough_points`,
    `no_birth_date`, `not_birthday` or `moving`.
    """
    check_settled(customer)
    benefit = found(Benefit.objects.filter(pk=benefit_id, active=True).first())
    if benefit.tier != customer.tier:
        raise Forbidden(f"This benefit is for the tier {benefit.tier}.", code="not_your_tier")
    now = timezone.now()
    if refusal := standings(customer=customer, benefits=[benefit], now=now)[benefit.pk].refusal:
        raise refusal
    return _take(customer, benefit, now)


def _take(customer: Customer, benefit: Benefit, now: datetime) -> Redemption:
    taken = customer.redemptions.create(
        benefit=benefit,
        kind=benefit.kind,
        value=benefit.value,
        code="".join(secrets.choice(_CODE_LETTERS) for _ in range(12)),
        points_spent=benefit.cost,
        redeemed_at=now,
        expires_at=now + GOOD_FOR,
    )
    if benefit.cost:
        points.add(customer=customer, source=f"{rating.REDEMPTION}{taken.pk}", points=-benefit.cost)
    return taken


def standings(*, customer: Customer, benefits: list[Benefit], now: datetime) -> dict[int, Standing]:
    """How the customer stands with each of these benefits, by its id."""
    redeemed = list(customer.redemptions.filter(redeemed_at__gt=now - rating.YEAR))
    return {each.pk: standing(customer=customer, benefit=each, redeemed=redeemed, now=now) for each in benefits}


def review_tiers() -> int:
    """Rates anew whoever is in another tier than the points of their last year give; how many that were."""
    return sum(_review(customer_id) for customer_id in _misrated())


def _misrated() -> Iterator[str]:
    lately = Sum("points_entries__points", filter=rating.last_year(timezone.now(), "points_entries__"))
    vips = Customer.objects.filter(moved_to="").annotate(lately=lately).order_by("pk")
    last = ""
    while batch := list(vips.filter(pk__gt=last).values_list("pk", "tier", "lately")[:BATCH]):
        yield from (pk for pk, tier, lately in batch if tier != tier_of(lately or 0))
        last = batch[-1][0]


@transaction.atomic
def _review(customer_id: str) -> bool:
    here = Customer.objects.filter(moved_to="", moving_to="")
    customer = here.select_for_update().filter(pk=customer_id).first()
    return customer is not None and rating.rate(customer=customer, reason="review")
