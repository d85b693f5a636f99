"""Signed news over HTTP, as the simulated provider and the carrier send them: `t=<Unix seconds>,v1=<HMAC>`."""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable

from shopkit.errors import Unauthenticated

SKEW = 300  # seconds that a time may differ from ours
_SIGNATURE = re.compile("t=(?P<at>[0-9]{1,12}),v1=[0-9a-f]{64}")


def sign(body: bytes, *, secret: str, at: int) -> str:
    """`t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`, as Stripe has it."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def check(body: bytes, signature: str, *, secrets: Iterable[str], sender: str) -> None:
    """`Unauthenticated`: `bad_signature` unless one of the secrets made it, `stale_webhook` when it is not of now."""
    given = _SIGNATURE.fullmatch(signature)
    at = int(given["at"]) if given else 0
    made = [sign(body, secret=secret, at=at) for secret in secrets]
    if not any(hmac.compare_digest(each.encode(), signature.encode()) for each in made):
        raise Unauthenticated(f"This webhook is not signed by {sender}.", code="bad_signature")
    check_time(at)


def check_time(at: int) -> None:
    """`Unauthenticated("stale_webhook")` for a time, in Unix seconds, too far from ours."""
    if abs(time.time() - at) > SKEW:
        raise Unauthenticated("This webhook is too old, or of the future.", code="stale_webhook")
