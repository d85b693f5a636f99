"""How many requests a key may make in a window: counted in Redis for all processes, handed out from blocks by each."""

import asyncio
import math
import time
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.errors import StorageError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shopkit.errors import TooManyRequests
from shopkit.hygiene import Headers
from shopkit.incoming import Later

BLOCK_PERCENT = 5
MAX_KEYS = 20_000  # some 8 MB
PATIENCE_S = 0.05
RECOVERY_S = 1.0
LOG_EVERY_S = 60.0

_HEADERS = ("RateLimit-Policy", "RateLimit")  # draft-ietf-httpapi-ratelimit-headers-10
_NAMES = tuple(name.lower().encode() for name in _HEADERS)
_GONE = (StorageError, OSError, TimeoutError)
log = structlog.get_logger()


class SharedCounts:
    """Counts in Redis. Once that is gone, or slower than `PATIENCE_S`, no request waits for it: a task does."""

    def __init__(self, url: str) -> None:
        uri = url.replace("unix://", "redis+unix://", 1) if url.startswith("unix://") else url
        once_more = Retry(NoBackoff(), 1)  # for a connection that died idle
        self._storage = RedisStorage(
            uri,
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="rate",
            retry=once_more,  # type: ignore[arg-type]  # it goes on to redis-py as it is
        )
        self._recovery: asyncio.Task[None] | None = None
        self._logged_at = -math.inf

    async def add(self, key: str, amount: int, seconds: int) -> int | None:
        """The key's count with `amount` added, which is forgotten after `seconds`; None when Redis does not say."""
        if self._recovery is not None:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._storage.incr(key, seconds, amount)
        except _GONE as error:
            self._gone(error)
            return None

    def _gone(self, error: Exception) -> None:
        if self._recovery is None:
            self._recovery = asyncio.get_running_loop().create_task(self._recover())
        if time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            log.warning("rate limits count in this process alone", dependency="redis", reason=type(error).__name__)

    async def _recover(self) -> None:
        while not await self._answers():
            self._gone(ConnectionError())
            await asyncio.sleep(RECOVERY_S)
        self._recovery = None

    async def _answers(self) -> bool:
        """With more patience than a request has: making a connection may take longer than using one."""
        try:
            async with asyncio.timeout(RECOVERY_S):
                await self._storage.get("any")
        except _GONE:
            return False
        return True


@dataclass(slots=True)
class _Block:
    """What this process holds of one key's window: `left` units, of `given` that all processes are known to have taken.

    `owed` units the shared count has not heard of, or no longer knows. `began` is when the window did, in Unix seconds.
    """

    window: int
    began: float
    lock: asyncio.Lock
    left: int = 0
    given: int = 0
    owed: int = 0


class Limiter:
    """One policy: `rate` (as `limits` writes it, `1200/minute`) requests a key.

    A process takes 5 % of a window at once from the shared count (or all of it one by one, unless `in_blocks`) and
    hands that out by itself. Over all processes a window never admits more than the rate; while several hold a block,
    it may refuse up to 5 % early for each of them. Without Redis each process counts for itself, from what it knew.

    Windows are fixed, numbered by the clock, and begin at another second for each key. At most `MAX_KEYS` are held;
    past that the one begun longest ago is dropped: what was left of its block is lost, or, without Redis, its count.
    """

    def __init__(self, name: str, rate: str, shared: SharedCounts | None = None, *, in_blocks: bool = True) -> None:
        item: RateLimitItem = parse(rate)
        self._limit, self._seconds = item.amount, item.get_expiry()
        self._at_once = max(1, self._limit * BLOCK_PERCENT // 100) if in_blocks else 1
        self._shared = shared
        self._blocks: dict[str, _Block] = {}
        self._policy = f'"{name}";q={self._limit};w={self._seconds}'
        self._policy_header = (_NAMES[0], self._policy.encode())
        self._state = b'"%b";r=%%d;t=%%d' % name.encode()

    def admit(self, key: str) -> Headers:
        """Counts one request; the headers that tell its client so. `TooManyRequests` over the limit.

        `Later`, before anything is counted, when the shared count has to be asked first.

        `r` is what nobody had taken when the shared count was last asked, and what is left of this process's block:
        exact for one process, otherwise without what others have taken since.
        """
        now = time.time()
        block = self._blocks.get(key)
        if block is None or not 0 <= now - block.began < self._seconds:
            block = self._begun(key, now)
        if not block.left and block.given < self._limit:
            raise Later(partial(self._take, key, block))
        reset = self._seconds - int(now - block.began)
        if not block.left:
            state = self._state % (0, reset)
            raise TooManyRequests(reset, headers=dict(zip(_HEADERS, (self._policy, state.decode()), strict=True)))
        block.left -= 1
        remaining = block.left + max(0, self._limit - block.given)
        return [self._policy_header, (_NAMES[1], self._state % (remaining, reset))]

    def _begun(self, key: str, now: float) -> _Block:
        """The key's block for the window that it is in now."""
        offset = crc32(key.encode()) % self._seconds
        window = int((now + offset) // self._seconds)
        self._blocks.pop(key, None)  # so that it is the youngest again
        block = self._blocks[key] = _Block(window, window * self._seconds - offset, asyncio.Lock())
        if len(self._blocks) > MAX_KEYS:
            del self._blocks[next(iter(self._blocks))]
        return block

    async def _take(self, key: str, block: _Block) -> None:
        """Gets the block more units, unless the window's are all given; one caller asks for all that wait."""
        async with block.lock:
            if block.left or block.given >= self._limit:
                return
            expected = block.given + self._at_once
            counted = await self._counted(f"{self._policy}/{key}/{block.window}", self._at_once + block.owed)
            # a count that is too low comes from a Redis that began anew
            block.owed = block.owed + self._at_once if counted is None else max(0, expected - counted)
            block.given = max(expected, counted or 0)
            block.left += max(0, self._at_once - max(0, block.given - self._limit))

    async def _counted(self, key: str, amount: int) -> int | None:
        return None if self._shared is None else await self._shared.add(key, amount, self._seconds)
