"""What all providers' webhooks are held to: the form of what they name."""

import json
import re
from typing import Any

from paying_service.providers.port import Event
from shopkit.errors import Invalid, Unauthenticated

_WORD = re.compile("[!-~]{1,100}")


def unsigned() -> Unauthenticated:
    return Unauthenticated("This webhook is not signed by the provider.", code="bad_signature")


def malformed() -> Invalid:
    return Invalid("This webhook is none that we know.", code="malformed_webhook")


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that was sent, in UTF-8; `Invalid("malformed_webhook")`."""
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise malformed() from None
    if not isinstance(event, dict):
        raise malformed()
    return event


def checked(event: Event) -> Event:
    """The event, if all that it names are words, and its amount a number; `Invalid("malformed_webhook")`."""
    names = (event.ref, event.payment_id, event.currency)
    if not _is_word(event.id) or not all(name == "" or _is_word(name) for name in names):
        raise malformed()
    if event.amount is not None and type(event.amount) is not int:
        raise malformed()
    return event


def _is_word(value: object) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None
