"""The simulated provider's webhooks: signed, sent over HTTP, some late, some twice, some never."""

import json
import random
import time
import uuid
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.utils import timezone

from paying_service.keys import keys
from paying_service.models import SimulatedCharge
from shopkit import signature, topology
from shopkit.errors import BadGateway, Unavailable
from shopkit.outbox import services as outbox
from shopkit.outbox.models import Message

NEWS, LATE_CHARGE = "simulated_news", "simulated_late"
DEADLINE = (1.0, 5.0)  # seconds to connect, and to be answered


def tell(charge: SimulatedCharge) -> None:
    """Writes, with a change of a charge, what is to be sent of it."""
    now = timezone.now()
    if charge.ready_at and charge.status == "pending":
        _put(LATE_CHARGE, {"charge": charge.key}, charge.ready_at)
    if _happens(keys().simulated_lost):
        return
    body: dict[str, object] = {"id": f"evt_{uuid.uuid4().hex}", "type": f"charge.{charge.shown_status}"}
    body |= {"charge": charge.key, "amount": charge.amount, "currency": charge.currency}
    body["created"] = int(now.timestamp())
    for _ in range(1 + _happens(keys().simulated_duplicates)):
        delay = keys().simulated_delay * random.random()  # noqa: S311  # nothing is to be kept from anybody
        _put(NEWS, body, now + timedelta(seconds=delay))


def _happens(share: float) -> bool:
    return random.random() < share  # noqa: S311


def _put(kind: str, payload: dict[str, object], at: datetime) -> None:
    message = outbox.put(kind=kind, payload=payload)
    Message.objects.filter(pk=message.pk).update(lease_until=at)


def send(message: Message) -> None:
    """Posts an event to where any provider's webhooks go; `ShopError` unless it is taken."""
    body = json.dumps(message.payload).encode()
    signed = signature.sign(body, secret=_secrets()[0], at=int(time.time()))
    headers = {"Content-Type": "application/json", "Simulated-Signature": signed}
    url = f"{topology.service('paying_service').url}/api/payments/webhooks/simulated/"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, data=body, headers=headers, timeout=DEADLINE, allow_redirects=False)
    except requests.RequestException as error:
        raise Unavailable("The shop did not take the webhook.") from error
    if answer.status_code >= 300:
        raise BadGateway(f"The shop answered the webhook with {answer.status_code}.")


def _secrets() -> list[str]:
    live: list[str] = settings.SIMULATED_SECRETS  # type: ignore[misc]
    return live


def check_signature(body: bytes, header: str) -> None:
    """`Unauthenticated`, `bad_signature` or `stale_webhook`, unless one of the live secrets made it just now."""
    signature.check(body, header, secrets=_secrets(), sender="the provider")
