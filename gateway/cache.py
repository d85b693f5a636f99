"""What is public, kept for a second: lists and details of items and collections, the same for everybody.

An answer counts for a second from when its service was asked, and only until a write passes the gateway, so that
whoever wrote reads what they wrote. Then the service is asked again, by its ETag if it gave one. Of many who want the
same at once, one asks.
"""

import asyncio
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import blake2b

from prometheus_client import Counter, Gauge

from gateway.last_write import LastWrite
from shopkit import topology
from shopkit.answer import CLIENT_GONE, Answer, Recorded
from shopkit.config import config
from shopkit.etag import is_known
from shopkit.hygiene import Headers
from shopkit.incoming import NO_BODY, Request
from shopkit.proxy import Ask

FRESH_NS = 1_000_000_000
AHEAD_NS = 600_000_000  # by then it is asked for again, so that those who want it next need not wait
MAX_BYTES = 16 * 1024 * 1024  # of all answers together, in one process
MAX_ANSWER = 512 * 1024
MAX_QUERY = 512  # what asks at greater length is asked by hardly anybody else
AN_ENTRY = 2048  # bytes that one takes beside its body
_ITEMS = "|".join(["items", "products", *(path for s in topology.by_item_type().values() for path in s.paths)])
_PUBLIC = re.compile(rf"/api/(?:(?:{_ITEMS})/(?:facets/|[a-z]+_[^/]+/(?:reviews/)?)?|collections/(?:[^/]+/)?)\Z")
_CALLED_AT = (b"x-forwarded-host", b"x-forwarded-proto")
_DETAIL = re.compile(rf"/api/(?:{_ITEMS})/[a-z]+_[^/]+/\Z")

ANSWERS = Counter("shop_cache_answers_total", "Public answers by where they came from", ["result"])
KEPT = Gauge("shop_cache_kept", "Public answers kept", multiprocess_mode="livesum")
BYTES = Gauge("shop_cache_bytes", "Bytes of the public answers kept", multiprocess_mode="livesum")
_HIT, _MISS, _SAME = (ANSWERS.labels(result) for result in ("hit", "miss", "unchanged"))

Key = tuple[object, ...]


def is_public(request: Request) -> bool:
    """Whether everybody is answered the same, in JSON."""
    short = len(request.query) <= MAX_QUERY and len(request.path) <= MAX_QUERY
    return request.method == "GET" and short and _PUBLIC.match(request.path) is not None and _takes_json(request)


def _takes_json(request: Request) -> bool:
    accept = request.header("accept")
    return accept is None or "*/*" in accept or "application/json" in accept


def is_detail(path: str) -> bool:
    """Whether it is one item."""
    return _DETAIL.match(path) is not None


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer; `asked_at` is when its service was asked, in nanoseconds, `request_id` by whom. `upstream_etag`: what
    it told itself."""

    status: int
    headers: Headers
    body: bytes
    etag: bytes
    upstream_etag: bytes | None
    asked_at: int
    request_id: str


class PublicCache:
    """The answers that one process keeps, the least wanted first to go."""

    def __init__(self, last_write: LastWrite) -> None:
        self._last_write = last_write
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._asking: dict[Key, tuple[int, asyncio.Task[Kept]]] = {}

    async def dropped(self, status: int, _headers: Headers) -> None:
        """What was kept before now counts no more: a write has passed. One that was refused has changed nothing."""
        if not 400 <= status < CLIENT_GONE:
            self._last_write.note()

    async def give(self, request: Request, answer: Answer, ask: Ask) -> None:
        """Answers from what is kept, or with what the service answers. Raises what `ask` does."""
        kept = self._fresh(key := _key(request))
        if kept is None:
            kept = await asyncio.shield(self._asking_once(key, request, ask))
        else:
            _HIT.inc()
            if time.monotonic_ns() - kept.asked_at > AHEAD_NS:
                self._asking_once(key, request, ask)
        await _send(kept, request, answer)

    def _fresh(self, key: Key) -> Kept | None:
        kept = self._kept.get(key)
        if kept is None or not self._counts(kept.asked_at):
            return None
        self._kept.move_to_end(key)
        return kept

    def _counts(self, asked_at: int) -> bool:
        return asked_at > self._last_write.at and time.monotonic_ns() - asked_at < FRESH_NS

    def _asking_once(self, key: Key, request: Request, ask: Ask) -> asyncio.Task[Kept]:
        began, task = self._asking.get(key, (0, None))
        if task is None or not self._counts(began):
            began = time.monotonic_ns()
            # a task of its own, since the client that came first may leave before the others
            task = asyncio.create_task(self._ask(key, request, ask, began))
            self._asking[key] = began, task
            task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def _forget(self, key: Key, done: asyncio.Task[Kept]) -> None:
        if self._asking.get(key, (0, None))[1] is done:
            del self._asking[key]
        if not done.cancelled():
            done.exception()  # whoever still waits gets it; if nobody does, that is no news

    async def _ask(self, key: Key, request: Request, ask: Ask, began: int) -> Kept:
        before = self._kept.get(key)
        came = await ask(_of_nobody(request, before.upstream_etag if before else None))
        if came.status == 304 and before is not None:
            _SAME.inc()
            kept = replace(before, asked_at=began)
        else:
            _MISS.inc()
            kept = _made(came, began)
        if kept.status == 200 and len(kept.body) <= MAX_ANSWER and not _is_personal(kept.headers):
            self._keep(key, kept)
        return kept

    def _keep(self, key: Key, kept: Kept) -> None:
        if (before := self._kept.pop(key, None)) is not None:
            self._bytes -= _size(before)
        self._kept[key] = kept
        self._bytes += _size(kept)
        while self._bytes > MAX_BYTES:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        KEPT.set(len(self._kept))
        BYTES.set(self._bytes)


def _size(kept: Kept) -> int:
    return len(kept.body) + AN_ENTRY


def _key(request: Request) -> Key:
    arrival = request.arrival
    # the links in a list are at the host that the client called
    called = tuple(map(arrival.own.get, _CALLED_AT)) if config().behind_proxy else ()
    return (request.path, request.query, arrival.host, request.header("origin"), called)


def _of_nobody(request: Request, etag: bytes | None) -> Request:
    """The same question, by nobody, who takes no 304 but for what is kept here."""
    headers = [header for header in request.arrival.headers if header[0] == b"origin"]
    if etag is not None:
        headers.append((b"if-none-match", etag))
    arrival = replace(request.arrival, headers=headers)
    return Request(request.came, request.path, arrival, NO_BODY, request.id, 0)


def _made(came: Recorded, began: int) -> Kept:
    body = came.body
    own = next((value for name, value in came.headers if name == b"etag"), None)
    etag = own or b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
    headers = [header for header in came.headers if header[0] not in (b"etag", b"content-length")]
    if came.status == 200:
        headers.append((b"etag", etag))
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", b"no-cache"))  # keep it, but ask each time
    return Kept(came.status, headers, body, etag, own, began, came.request_id)


def _is_personal(headers: Headers) -> bool:
    """Whether the service says that the answer is not for everybody."""
    return any(
        name == b"set-cookie" or (name == b"cache-control" and (b"private" in value or b"no-store" in value))
        for name, value in headers
    )


async def _send(kept: Kept, request: Request, answer: Answer) -> None:
    if kept.status == 200 and is_known(request.header("if-none-match"), kept.etag.decode("latin-1")):
        unchanged = [header for header in kept.headers if header[0] != b"content-type"]
        await answer.start(304, unchanged)
        await answer.piece(b"", more=False)
        return
    # an error names its request, and each of those who asked together has one of their own
    body = kept.body if kept.status < 400 else kept.body.replace(kept.request_id.encode(), request.id.encode())
    await answer.start(kept.status, [*kept.headers, (b"content-length", b"%d" % len(body))])
    await answer.piece(body, more=False)
