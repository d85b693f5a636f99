"""How often something may be tried: counted in Redis over all processes or, without one, in this process's memory."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from shopkit.config import config
from shopkit.errors import Throttled

REDIS_SECONDS = 0.5
AWAY_SECONDS = 5.0  # for so long, a Redis that failed is not asked again
T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True)
class Limit:
    """At most `times` in any `seconds`, for each key; a key is kept as a hash only."""

    name: str
    times: int
    seconds: int

    def count(self, key: str) -> None:
        """Counts one more; `Throttled` when that is one too many."""
        if not _ask(lambda window: window.hit(self._item, _hashed(key))):
            raise Throttled(self._wait(key))

    def check(self, key: str) -> None:
        """`Throttled` when there is none left."""
        if not _ask(lambda window: window.test(self._item, _hashed(key))):
            raise Throttled(self._wait(key))

    def forget(self, key: str) -> None:
        _ask(lambda window: window.clear(self._item, _hashed(key)))

    @property
    def _item(self) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(self.times, self.seconds, f"{settings.SERVICE.name}:{self.name}")

    def _wait(self, key: str) -> int:
        stats = _ask(lambda window: window.get_window_stats(self._item, _hashed(key)))
        return int(stats.reset_time - time.time()) + 1


def _hashed(key: str) -> str:
    return hashlib.sha256(key.lower().encode()).hexdigest()


class _Windows:
    """Where it is counted. While Redis is away this process counts by itself, from nothing."""

    def __init__(self, redis_url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = _in_redis(redis_url) if redis_url else None
        self._away_until = 0.0

    def ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        if self._shared and time.monotonic() >= self._away_until:
            try:
                return question(self._shared)
            except StorageError as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("limits are counted by this process alone", error=type(error.storage_error).__name__)
        return question(self._own)


def _in_redis(url: str) -> MovingWindowRateLimiter:
    patience = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return MovingWindowRateLimiter(storage_from_string(url, wrap_exceptions=True, **patience))


@cache
def windows() -> _Windows:
    """This process's, made at first use."""
    return _Windows(config().redis_url)


def _ask(question: Callable[[MovingWindowRateLimiter], T]) -> T:
    return windows().ask(question)
