"""When a benefit may be redeemed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shopkit.errors import Conflict, ShopError
from vip_customer.models import Benefit, Customer, Redemption
from vip_customer.rating import YEAR
from vip_customer.tiers import FREE_METHODS, Tier

BIRTHDAY = timedelta(days=30)
"""How long before and after a birthday its gift is there."""
GOOD_FOR = timedelta(days=90)
_WINDOW = {Benefit.Kind.BIRTHDAY_GIFT: YEAR - 2 * BIRTHDAY}  # shorter, or last year's late gift would bar an early one


@dataclass(frozen=True)
class Standing:
    """How a customer stands with a benefit: `left` is None without a limit, `refusal` None when they may have it."""

    redeemed: int
    left: int | None
    refusal: ShopError | None


def standing(*, customer: Customer, benefit: Benefit, redeemed: list[Redemption], now: datetime) -> Standing:
    """`redeemed` holds the customer's redemptions of the year before `now`."""
    since = now - _WINDOW.get(Benefit.Kind(benefit.kind), YEAR)
    count = sum(each.kind == benefit.kind and each.redeemed_at > since for each in redeemed)
    left = None if (limit := _limit(benefit)) is None else max(limit - count, 0)
    return Standing(count, left, _refusal(customer, benefit, left, now.date()))


def standing_perks(*, customer: Customer, now: datetime) -> dict[str, object]:
    """What applies to the customer's carts and orders by itself: `{tier, percent, free_shipping}`.

    A benefit of the tier that costs points applies while it is redeemed, that is until its code expires; one that
    costs none, always. `free_shipping` names the methods.
    """
    redeemed = set(customer.redemptions.filter(expires_at__gt=now).values_list("kind", flat=True))
    tiers = Benefit.objects.filter(tier=customer.tier, active=True)
    active = {each.kind: each.value for each in tiers if not each.cost or each.kind in redeemed}
    free = FREE_METHODS[Tier(customer.tier)] if Benefit.Kind.FREE_SHIPPING in active else ()
    return {"tier": customer.tier, "percent": active.get(Benefit.Kind.DISCOUNT, 0), "free_shipping": list(free)}


def _limit(benefit: Benefit) -> int | None:
    if benefit.kind != Benefit.Kind.BIRTHDAY_GIFT:
        return benefit.limit_per_year
    return 1 if benefit.limit_per_year is None else min(benefit.limit_per_year, 1)


def _refusal(customer: Customer, benefit: Benefit, left: int | None, today: date) -> ShopError | None:
    if left == 0:
        return Conflict("This benefit is used up for this year.", code="limit_reached")
    if benefit.kind == Benefit.Kind.BIRTHDAY_GIFT and (refusal := _not_birthday(customer.birth_date, today)):
        return refusal
    if benefit.cost > max(customer.points, 0):
        message = f"This benefit costs {benefit.cost} points; there are {customer.points}."
        return Conflict(message, code="not_enough_points")
    return None


def _not_birthday(born: date | None, today: date) -> Conflict | None:
    if born is None:
        return Conflict("The birthday gift needs a birth date in the profile.", code="no_birth_date")
    if min(abs(birthday(born, today.year + step) - today) for step in (-1, 0, 1)) > BIRTHDAY:
        return Conflict(f"The birthday gift is there {BIRTHDAY.days} days around the birthday.", code="not_birthday")
    return None


def birthday(born: date, year: int) -> date:
    """The birthday in that year; of those born on 29 February, in other years the 28th."""
    try:
        return born.replace(year=year)
    except ValueError:
        return born.replace(year=year, day=28)
