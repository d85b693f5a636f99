"""The request id: taken from the caller when sane, else made, and the same in every log line and answer on the way."""

import random
import re

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def sane_or_new(value: str | None) -> str:
    """The caller's id if it is 1–64 characters of `A-Za-z0-9._-`, else a new one."""
    if value and _SANE.match(value):
        return value
    return f"{random.getrandbits(128):032x}"  # no secret; the system's randomness costs more
