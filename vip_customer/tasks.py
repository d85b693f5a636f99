"""What vip_customer does by itself: rates VIPs anew as points leave the year, and forgets old answers and sessions."""

from django.utils import timezone

from shopkit import http
from shopkit.idempotency.services import sweep
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep
from vip_customer import services


def forget_old_answers() -> int:
    return sweep(now=timezone.now())


def close_account(message: Message) -> None:
    """The account of a VIP who had themselves forgotten, where it is kept."""
    http.call("DELETE", message.payload["keeper"], f"/internal/accounts/{message.payload['customer_id']}/")


HANDLERS = {services.FORGOTTEN: close_account}
SWEEPS = (Sweep(services.review_tiers, every=3600), Sweep(forget_old_answers, every=3600))
