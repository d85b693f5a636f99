"""One request of a client's: its head, its body as it arrives, and the response as it leaves (RFC 9112)."""

import asyncio
import time
from email.utils import formatdate
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Protocol

from shopkit.hygiene import Headers

HIGH_WATER = 256 * 1024  # bytes of a body that wait to be read; then the client waits
BODILESS = (204, 304)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientGone(Exception):
    """The client closed its connection: there is nobody to answer."""


class Client(Protocol):
    """What a request needs of the connection that it came by; `writable` is None, or done when it takes more."""

    server: tuple[str, int]
    peer: str
    writable: asyncio.Future[None] | None

    def write(self, data: bytes) -> None: ...

    def read_on(self) -> None: ...

    def keeps_alive(self) -> bool: ...

    def abort(self) -> None: ...


class ClientRequest:
    """A request that is arriving or being answered.

    `path` and `query` are those of the target, as they came; `headers` have lower-case names; `client` is the address
    that called. `received`: all of its body has come. `started` and `complete` are of its response. `keep_alive`:
    whether the connection may carry another. `gone`: the client has left, or is not talked to any more.
    """

    received = started = complete = gone = False
    _chunked = _has_body = False
    _head = b""
    _left: int | None = None
    _size = 0
    _waiter: asyncio.Future[None] | None = None

    def __init__(
        self,
        connection: Client,
        *,
        method: str,
        path: bytes,
        query: bytes,
        version: str,
        headers: Headers,
        keep_alive: bool,
        expects: bool,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.version = version
        self.headers = headers
        self.keep_alive = keep_alive
        self.client = connection.peer
        self.server = connection.server
        self._connection = connection
        self._expects = expects
        self._pieces: list[bytes] = []

    def only(self, name: bytes) -> bytes | None:
        """The value of a header that came once."""
        values = [header[1] for header in self.headers if header[0] == name]
        return values[0] if len(values) == 1 else None

    @property
    def whole(self) -> bool:
        """Whether the response was as long as it said."""
        return self.complete and not self._left

    @property
    def is_full(self) -> bool:
        """Whether more waits to be read than should."""
        return self._size > HIGH_WATER

    # -- what the connection tells

    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self._pieces.append(piece)
        self._size += len(piece)
        self._wake()

    def end(self) -> None:
        """All of the body has come."""
        self.received = True
        self._wake()

    def leave(self) -> None:
        """The client has gone, or is not talked to any more."""
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- what whoever answers it calls

    async def read(self) -> tuple[bytes, bool]:
        """What has come of the body since the last time, once something has, and whether more follows; `ClientGone`."""
        if self._expects and not (self._pieces or self.received):
            self._connection.write(CONTINUE)
        self._expects = False
        while not (self.gone or self._pieces or self.received):
            await self._news()
        if self.gone:
            raise ClientGone
        body, self._pieces, self._size = b"".join(self._pieces), [], 0
        self._connection.read_on()
        return body, not self.received

    async def left(self) -> None:
        """Returns when the client has gone."""
        while not self.gone:
            await self._news()

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def start(self, status: int, headers: Headers) -> None:
        """The response's head, which waits for the first piece of the body, to be sent in one go.

        `ValueError` for a header with a line break in it.
        """
        self._chunked, self._left = False, None
        length = dict(headers).get(b"content-length")
        self._has_body = self.method != "HEAD" and status not in BODILESS
        if self._has_body:
            self._frame(length)
        elif status == 204 and length is not None:
            headers = [header for header in headers if header[0] != b"content-length"]
        lines = [_status_line(status), _date(int(time.time())), *map(b": ".join, headers)]
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        self.keep_alive = self.keep_alive and self._connection.keeps_alive()
        if not self.keep_alive:
            lines.append(b"connection: close")
        self._head = _head(lines)
        self.started, self._expects = True, False

    def _frame(self, length: bytes | None) -> None:
        """Where the body ends: after its length, with its last chunk, or with its connection."""
        if length is not None:
            self._left = int(length)
        elif self.version == "1.0":
            self.keep_alive = False
        else:
            self._chunked = True

    def write(self, piece: bytes, more: bool) -> None:
        """A piece of the response's body."""
        if self.gone:
            return
        if not self._has_body:
            piece = b""
        elif self._left is not None:
            piece = piece[: self._left]  # more would be taken for the next response
            self._left -= len(piece)
        elif self._chunked:
            piece = (b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"") + (b"" if more else b"0\r\n\r\n")
        self.complete = not more
        if self._head or piece:
            self._connection.write(self._head + piece)
            self._head = b""

    @property
    def flows(self) -> bool:
        """Whether the client takes what is sent to it."""
        return self._connection.writable is None

    async def drained(self) -> None:
        """Returns when the client has taken enough of what went before."""
        if self._connection.writable is not None and not self.gone:
            await self._connection.writable

    def abort(self) -> None:
        """Resets the connection: the client cannot take what it has for the whole."""
        self._connection.abort()


def _head(lines: list[bytes]) -> bytes:
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise ValueError("a header with a line break in it")
    return head


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}".encode()


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return f"date: {formatdate(second, usegmt=True)}".encode()
