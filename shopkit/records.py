"""What has passed a proxy, counted and logged together some twenty times a second.

One by one, on caches that other processes have used meanwhile, that took a fifth of the whole hop. A request that is
being answered has no line yet in any case: who kills a process loses the lines of its last moment, `EVERY_S`.
"""

import asyncio
import os
import time
from contextlib import suppress
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii
from urllib.parse import unquote

from prometheus_client import Histogram

from shopkit import metrics
from shopkit.middleware import QUIET
from shopkit.passage import Passed

EVERY_S = 0.05
AT_ONCE = 8  # lines: what is longer than 4 KB may be torn apart by what another process writes to the same pipe
_STDOUT = 1
_QUIET = tuple(prefix.encode() for prefix in QUIET)

_waiting: list[tuple[str, Passed]] = []


def note(service: str, passed: Passed) -> None:
    """A request has passed the service."""
    if not _waiting:
        asyncio.get_running_loop().call_later(EVERY_S, flush)
    _waiting.append((service, passed))


def flush() -> None:
    """Counts and logs what waits. Polls for health and metrics are not worth a line."""
    noted = _waiting.copy()
    _waiting.clear()
    for _, passed in noted:
        _histogram(passed.service, passed.status).observe(passed.seconds)
    lines = [_line(service, passed) for service, passed in noted if not passed.path.startswith(_QUIET)]
    with suppress(OSError):  # a disk that is full stops no request
        for begin in range(0, len(lines), AT_ONCE):
            os.write(_STDOUT, "".join(lines[begin : begin + AT_ONCE]).encode())


@cache
def _histogram(upstream: str, status: int) -> Histogram:
    return metrics.UPSTREAM_SECONDS.labels(upstream, status)


def _line(service: str, passed: Passed) -> str:
    """Made straight, in the shape that `shopkit.logging` gives: its chain would cost a third of the whole hop.

    Only the path can hold what JSON would have to escape.
    """
    path = encode_basestring_ascii(unquote(passed.path.decode("latin-1")))
    return (
        f'{{"service": "{service}", "method": "{passed.method}", "path": {path}, '
        f'"status": {passed.status}, "upstream": "{passed.service}", "ms": {passed.seconds * 1000:.2f}, '
        f'"request_id": "{passed.request_id}", "client": "{passed.client}", '
        f'"event": "proxied", "level": "info", "timestamp": "{_moment(passed.at)}"}}\n'
    )


def _moment(at: float) -> str:
    return f"{_second(int(at))}.{int(at % 1 * 1_000_000):06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
