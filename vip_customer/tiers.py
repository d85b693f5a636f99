"""The tiers, and the points from which each begins."""

from django.db import models


class Tier(models.TextChoices):
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


POINTS: dict[Tier, int] = {Tier.BRONZE: 0, Tier.SILVER: 1_000, Tier.GOLD: 5_000, Tier.PLATINUM: 10_000}


_BOTH = ("standard", "express")
FREE_METHODS: dict[Tier, tuple[str, ...]] = {
    Tier.BRONZE: ("standard",),
    Tier.SILVER: ("standard",),
    Tier.GOLD: _BOTH,
    Tier.PLATINUM: _BOTH,
}
"""Which shipping costs nothing, where the tier's shipping is free."""


def tier_of(points: int) -> Tier:
    """The highest tier that this many points reach."""
    return max((tier for tier, least in POINTS.items() if points >= least), key=POINTS.__getitem__, default=Tier.BRONZE)
