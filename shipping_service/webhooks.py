"""What the carrier sends: kept as it came, once for each event id, answered, and looked into afterwards."""

import json
import re
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from shipping_service import services
from shipping_service.models import CarrierEvent, Status
from shopkit.errors import Conflict, Invalid
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message
from shopkit.signature import check

CARRIER_EVENT = "carrier_event"
_WORD = re.compile("[!-~]{1,100}")
log = structlog.get_logger()


def take(*, body: bytes, signature: str) -> bool:
    """Keeps a signed event; False when it was here before.

    `Unauthenticated`: `bad_signature`, `stale_webhook`; `Invalid("malformed_webhook")`.
    """
    check(body, signature, secrets=settings.CARRIER_SECRETS, sender="the carrier")  # type: ignore[misc]
    event = _parsed(body)
    with transaction.atomic():
        kept, new = CarrierEvent.objects.get_or_create(event_id=event["id"], defaults={"raw": body.decode()})
        if new:
            outbox.put(kind=CARRIER_EVENT, payload={"event": kept.pk})
    return new


def _parsed(body: bytes) -> dict[str, str]:
    """`{id, tracking_number, status}`."""
    try:
        event: Any = json.loads(body.decode())
        found = {name: event[name] for name in ("id", "tracking_number", "status")}
        if all(_WORD.fullmatch(each) for each in found.values()) and found["status"] in Status.values:
            return found
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise Invalid("This webhook is none that we know.", code="malformed_webhook")


def look_into(message: Message) -> None:
    """Moves the parcel to where the carrier says it is, over whatever we were not told; never back."""
    event = _parsed(CarrierEvent.objects.get(pk=message.payload["event"]).raw.encode())
    for _attempt in range(services.TRIES):
        try:
            services.arrive_at(tracking_number=event["tracking_number"], status=event["status"])
            return
        except Conflict:  # the sweep or staff have just moved it
            continue
    raise Conflict("This parcel keeps moving.")
