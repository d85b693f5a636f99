"""How often something may be tried: counted in Redis over all processes or, without one, in this process's memory."""

import hashlib
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from shopkit.config import config
from shopkit.errors import Throttled

REDIS_SECONDS = 0.5
AWAY_SECONDS = 5.0  # for so long, a Redis that failed is not asked again
# loopback, private and link-local (RFC 1122, 1918, 3927, 4193, 4291)
_OURS = [
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
]
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
    return MovingWindowRateLimiter(storage_from_string(url, wrap_exceptions=True, **patience))  # type: ignore[arg-type]


@cache
def windows() -> _Windows:
    """This process's, made at first use."""
    return _Windows(config().redis_url)


def _ask(question: Callable[[MovingWindowRateLimiter], T]) -> T:
    return windows().ask(question)


def client_address(request: HttpRequest) -> str:
    """Whom to count a request against: the client's address; of an IPv6 address its /64, which one customer has.

    `X-Forwarded-For` counts only from a peer on this machine or in our own network, as the hops of the fleet are. Each
    adds the address it saw, so the client is the last one that is not of our own network; where all are, the first.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    said = request.headers.get("X-Forwarded-For", "") if _is_ours(peer) else ""
    seen = [*filter(None, map(str.strip, said.split(","))), peer]
    return _network(next((address for address in reversed(seen) if not _is_ours(address)), seen[0]))


def _is_ours(address: str) -> bool:
    found = _parsed(address)
    return found is not None and any(found in network for network in _OURS)


def _network(address: str) -> str:
    found = _parsed(address)
    if found is None:
        return address[:100]
    return str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
