"""What the carrier sends: kept as it came, once for each event id, answered, and looked into afterwards."""

import hashlib
import hmac
import json
import re
import time
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from shipping_service import services
from shipping_service.models import CarrierEvent, Status
from shopkit.errors import Conflict, Invalid, Unauthenticated
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

CARRIER_EVENT = "carrier_event"
SKEW = 300  # seconds that an event's time may differ from ours
_SIGNATURE = re.compile("t=(?P<at>[0-9]{1,12}),v1=[0-9a-f]{64}")
_WORD = re.compile("[!-~]{1,100}")
log = structlog.get_logger()


def sign(body: bytes, *, secret: str, at: int) -> str:
    """`t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`, as the simulated payment provider has it."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def take(*, body: bytes, signature: str) -> bool:
    """Keeps a signed event; False when it was here before.

    `Unauthenticated`: `bad_signature`, `stale_webhook`; `Invalid("malformed_webhook")`.
    """
    _check_signature(body, signature)
    event = _parsed(body)
    with transaction.atomic():
        kept, new = CarrierEvent.objects.get_or_create(event_id=event["id"], defaults={"raw": body.decode()})
        if new:
            outbox.put(kind=CARRIER_EVENT, payload={"event": kept.pk})
    return new


def _check_signature(body: bytes, header: str) -> None:
    given = _SIGNATURE.fullmatch(header)
    at = int(given["at"]) if given else 0
    made = [sign(body, secret=secret, at=at) for secret in settings.CARRIER_SECRETS]  # type: ignore[misc]
    if not any(hmac.compare_digest(each.encode(), header.encode()) for each in made):
        raise Unauthenticated("This webhook is not signed by the carrier.", code="bad_signature")
    if abs(time.time() - at) > SKEW:
        raise Unauthenticated("This webhook is too old, or of the future.", code="stale_webhook")


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
