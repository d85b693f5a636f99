"""Waiting for what others do, and how long: for hope's sake, or since somebody was promised."""

import os
import time
from collections.abc import Callable

PATIENCE = 90.0  # seconds; nothing is promised about what is waited for, and only a failure takes this long
SELDOM = 0.5  # seconds between looks at what takes long
BUSY = float(os.environ.get("SHOP_TEST_BUSY", "1"))


def at_most(promised: float) -> float:
    """The seconds within which something has to happen; `SHOP_TEST_BUSY` times as many where others use the machine."""
    return promised * BUSY


def wait_for(condition: Callable[[], object], *, seconds: float = PATIENCE, every: float = 0.02) -> None:
    """Until the condition holds, looked at every so many seconds or more; a `TimeoutError` when it does not in time.

    The longer it takes the less often it is looked at: what is waited for needs the CPU that a look takes.
    """
    start = time.monotonic()
    while not condition():
        waited = time.monotonic() - start
        if waited > seconds:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(max(every, min(waited / 5, SELDOM)))
