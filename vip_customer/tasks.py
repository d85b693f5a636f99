"""Background work on VIPs, for a scheduler to call."""

from django.utils import timezone

from shopkit.idempotency.services import sweep
from vip_customer import services


def review_tiers() -> int:
    return services.review_tiers()


def forget_old_answers() -> int:
    return sweep(now=timezone.now())
