"""Deadlines for the requests in flight, all kept by one timer: a request that is answered at once sets none."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Protocol

from shopkit.errors import ShopError

TICK = 0.05


class RequestTimeout(ShopError):
    status, code, message = 408, "request_timeout", "The request did not arrive in time."


class Clock:
    """How long one request may take as a whole, and its present step, to within a `TICK` (seconds).

    Used as a context: when time is up, the task in it is cancelled, and the context raises the step's error.
    """

    expired: ShopError | None = None
    _late: type[ShopError] = RequestTimeout
    _on_tick: Callable[[], None] | None = None
    _cancels = 0

    def __init__(self, running: "Clocks", total_s: float) -> None:
        self._running = running
        self._task = asyncio.current_task(running.loop)
        self._time = running.loop.time
        self._end = self._at = self._time() + total_s

    def allow(self, seconds: float, late: type[ShopError]) -> None:
        """The present step may take that long from now; after it the request fails with `late`."""
        at = self._time() + seconds
        self._at = at if at < self._end else self._end
        self._late = late

    def on_tick(self, action: Callable[[], None]) -> None:
        """Calls `action` at each tick that the request lives to see: for what only slow requests need."""
        self._on_tick = action

    def tick(self, now: float) -> None:
        if self.expired is None and now >= self._at:
            self.expired = self._late()
        if self.expired is not None and self._task is not None:
            # At each tick: `asyncio.wait_for` loses a cancellation that comes together with its result.
            self._cancels += 1
            self._task.cancel()
        elif self._on_tick is not None:
            self._on_tick()

    def __enter__(self) -> "Clock":
        self._running.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.discard(self)
        self._on_tick = None
        if self.expired is not None and self._task is not None:
            for _ in range(self._cancels):
                self._task.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise self.expired from None


class Ticking(Protocol):
    """What is told the time at each tick."""

    def tick(self, now: float) -> None: ...


class Clocks:
    """The clocks of the requests in flight, and the timer that looks at them."""

    def __init__(self) -> None:
        self._clocks: set[Ticking] = set()
        self._ticking = False

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def clock(self, total_s: float) -> Clock:
        return Clock(self, total_s)

    def add(self, clock: Ticking) -> None:
        self._clocks.add(clock)
        if not self._ticking:
            self._ticking = True
            self.loop.call_later(TICK, self._tick)

    def discard(self, clock: Ticking) -> None:
        self._clocks.discard(clock)

    def _tick(self) -> None:
        now = self.loop.time()
        for clock in tuple(self._clocks):
            clock.tick(now)
        self._ticking = bool(self._clocks)
        if self._ticking:
            self.loop.call_later(TICK, self._tick)
