"""A breaker per upstream: while it fails again and again, callers are refused at once instead of being made to wait."""

import math
import time
from collections.abc import Callable

from shopkit.errors import Unavailable


class Breaker:
    """Closed until `threshold` failures in a row; then open, letting one trial through after each cool-down.

    The cool-down, in seconds, doubles with each failed trial, up to `longest`. One success closes it.
    """

    def __init__(
        self,
        *,
        threshold: int = 5,
        cooldown: float = 1.0,
        longest: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._first_cooldown = self._cooldown = cooldown
        self._longest = longest
        self._clock = clock
        self._failures = 0
        self._next_trial = 0.0
        self._on_trial = False

    @property
    def state(self) -> str:
        """`closed`, `open`, or `half_open` when the next caller would be the trial."""
        if self._failures < self._threshold:
            return "closed"
        return "half_open" if self._clock() >= self._next_trial else "open"

    @property
    def closed(self) -> bool:
        """Whether nobody need `check`."""
        return self._failures < self._threshold

    def check(self) -> None:
        """Lets the caller try, or raises `Unavailable` with a `Retry-After` in whole seconds."""
        if self._failures < self._threshold:
            return
        wait = self._next_trial - self._clock()
        if wait > 0:
            raise Unavailable(headers={"Retry-After": str(math.ceil(wait))})
        # The next trial is set before this one reports, so that one that never does (its client left) jams nothing.
        self._next_trial = self._clock() + self._cooldown
        self._on_trial = True

    def succeeded(self) -> None:
        self._failures = 0
        self._cooldown = self._first_cooldown

    def failed(self) -> None:
        if self._failures < self._threshold:
            self._failures += 1
            if self._failures < self._threshold:
                return
        elif self._on_trial:
            self._cooldown = min(2 * self._cooldown, self._longest)
        else:
            return  # one that was on its way when it opened; many of them say no more than the first five
        self._on_trial = False
        self._next_trial = self._clock() + self._cooldown
