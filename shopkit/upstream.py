"""One upstream: where it is, its breaker, and the pool of kept-alive connections to it."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from shopkit.breaker import Breaker
from shopkit.connection import Connection
from shopkit.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes.

    `response_head_s`: from the request's last byte to the response's head; `idle_s`: silence between two pieces of a
    body, either way; `keepalive_s` must be shorter than the upstream's own; `max_connections` is per upstream.
    """

    connect_s: float = 1.0
    response_head_s: float = 10.0
    idle_s: float = 15.0
    total_s: float = 60.0
    keepalive_s: float = 20.0
    max_body: int = 10 * 1024 * 1024
    json_limit: int = 1_000_000
    max_connections: int = 128


DEFAULTS = Limits()


class Upstream:
    """One service behind the proxy: where it is, its breaker, its connections."""

    def __init__(self, base_url: str, limits: Limits) -> None:
        url = urlsplit(base_url)
        if url.scheme != "http" or not url.hostname or url.path not in ("", "/"):
            raise ValueError(f"an upstream is http://host:port, not {base_url!r}")
        self.authority = url.netloc.encode()
        self.breaker = Breaker()
        self._address = (url.hostname, url.port or 80)
        self._limits = limits
        self._in_use = 0
        self._turns: deque[asyncio.Future[None]] = deque()
        self._idle: deque[Connection] = deque()

    def at_hand(self) -> Connection | None:
        """A kept connection, as `connection` gives one, if there is one to be had without waiting."""
        if self._in_use >= self._limits.max_connections or (kept := self._kept()) is None:
            return None
        self._in_use += 1
        return kept

    async def connection(self, *, fresh: bool = False) -> Connection:
        """A connection that nobody else uses until `release`; `fresh`: not one that was used before.

        `Unavailable` when there is none to be had within `connect_s`.
        """
        if self._in_use < self._limits.max_connections:
            self._in_use += 1
        else:
            await self._in_time(self._turn())
        try:
            return (None if fresh else self._kept()) or await self._connect()
        except BaseException:
            self._give_up()
            raise

    def release(self, connection: Connection) -> None:
        """Gives a connection back, to be used again if it can be."""
        self._give_up()
        if connection.finish():
            self._idle.append(connection)
        while len(self._idle) > 1 and not self._usable(self._idle[0]):
            self._idle.popleft().transport.abort()

    async def _turn(self) -> None:
        """Waits for somebody to give up a connection, which is ours then."""
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_up()
            raise

    def _give_up(self) -> None:
        while self._turns:
            if not (turn := self._turns.popleft()).done():
                turn.set_result(None)
                return
        self._in_use -= 1

    def _kept(self) -> Connection | None:
        # The one used last first: the others may grow old and go.
        while self._idle:
            connection = self._idle.pop()
            if self._usable(connection):
                return connection
            connection.transport.abort()
        return None

    def _usable(self, connection: Connection) -> bool:
        age = connection.loop.time() - connection.idle_since
        return not connection.closed and age < self._limits.keepalive_s

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            return (await self._in_time(loop.create_connection(Connection, *self._address)))[1]
        except (OSError, Unavailable):
            self.breaker.failed()
            raise _unreachable() from None

    async def _in_time(self, step: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                return await step
        except TimeoutError:
            raise _unreachable() from None


def _unreachable() -> Unavailable:
    return Unavailable(headers={"Retry-After": "1"})
