"""Simulated time and simulated processes: one thing is done at a time, and which one is for the seed to say."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenlet import getcurrent, greenlet

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 1e-6  # no two looks at a clock see the same time


class Killed(BaseException):
    """The process ended here."""


@dataclass(eq=False)
class Process:
    """One of the service's processes: its clock is `skew` seconds ahead of the true one."""

    name: str
    skew: float = 0.0


class Fiber:
    """What a process does in one thread, until it ends, is killed or sleeps."""

    def __init__(self, loop: "Loop", process: Process, work: Callable[[], None]) -> None:
        self.loop, self.process, self.work = loop, process, work
        self.dead = False
        self._stack = greenlet(self._run, loop.stack)

    def _run(self) -> None:
        try:
            if not self.dead:
                self.work()
        except Killed:
            pass
        finally:
            self.loop.fibers.remove(self)

    def resume(self) -> None:
        """From the loop: until the fiber sleeps again, or ends; what it raises is raised here."""
        if self not in self.loop.fibers:
            return
        self.loop.current = self
        try:
            self._stack.switch()
        finally:
            self.loop.current = None

    def wait(self) -> None:
        """From the fiber: until it is resumed."""
        self.loop.stack.switch()
        if self.dead:
            raise Killed


class Loop:
    """What happens next, by simulated time in seconds; `history` is what has happened."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.current: Fiber | None = None
        self.fibers: list[Fiber] = []
        self.history: list[tuple[float, str, str]] = []
        self.stack = getcurrent()
        self._due: list[tuple[float, int, Callable[[], object]]] = []  # by number too: no two compare what to do
        self._number = 0

    def note(self, what: str) -> None:
        self.history.append((self.now, self.current.process.name if self.current else "", what))

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        self._number += 1
        heapq.heappush(self._due, (self.now + seconds, self._number, act))

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """Has a process do this from now on."""
        fiber = Fiber(self, process, work)
        self.fibers.append(fiber)
        self.later(0, fiber.resume)

    def sleep(self, seconds: float) -> None:
        """In a fiber."""
        assert self.current
        fiber = self.current
        # by its own entry, so that nothing else resumes it earlier
        self.later(seconds, fiber.resume)
        fiber.wait()

    def die(self) -> None:
        """In a fiber: its process ends, and all that it was doing."""
        assert self.current
        self.note("dies")
        for fiber in self.fibers:
            if fiber.process is self.current.process:
                fiber.dead = True
                if fiber is not self.current:
                    self.later(0, fiber.resume)
        raise Killed

    def run_until(self, end: float) -> None:
        while self._due and self._due[0][0] <= end:
            at, _number, act = heapq.heappop(self._due)
            self.now = max(self.now, at)
            act()
        self.now = max(self.now, end)

    def close(self) -> None:
        """Ends every fiber."""
        for fiber in list(self.fibers):
            fiber.dead = True
            fiber.resume()

    def true_time(self) -> datetime:
        self.now += TICK
        return BEGINNING + timedelta(seconds=self.now)

    def clock(self) -> datetime:
        """The time as the process at hand has it."""
        skew = self.current.process.skew if self.current else 0.0
        return self.true_time() + timedelta(seconds=skew)
