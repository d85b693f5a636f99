"""One request of a client's as ASGI has it: its body as it arrives, and the response as it leaves (RFC 9112)."""

import asyncio
import logging
import time
from email.utils import formatdate
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Protocol

from shopkit.hygiene import Headers
from shopkit.incoming import ASGIApp, Message, Scope

HIGH_WATER = 256 * 1024  # bytes of a body that wait for the application; then the client waits
BODILESS = (204, 304)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_log = logging.getLogger(__name__)


class Client(Protocol):
    """What a request needs of the connection that it came by."""

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None: ...

    def read_on(self) -> None: ...

    def keeps_alive(self) -> bool: ...


class ClientRequest:
    """A request that is arriving or being answered.

    `received`: all of its body has come. `started` and `complete` are of its response. `keep_alive`: whether the
    connection may carry another. `whole`: the response was as long as it said.
    """

    __slots__ = (
        "_body_size",
        "_chunked",
        "_client",
        "_expects",
        "_handed_over",
        "_has_body",
        "_head",
        "_left",
        "_pieces",
        "_waiter",
        "complete",
        "gone",
        "keep_alive",
        "received",
        "scope",
        "started",
    )

    def __init__(self, client: Client, scope: Scope, *, keep_alive: bool, expects: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.received = self.started = self.complete = self.gone = False
        self._client = client
        self._expects = expects
        self._handed_over = False
        self._pieces: list[bytes] = []
        self._body_size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._left: int | None = None
        self._chunked = self._has_body = False

    async def run(self, app: ASGIApp) -> None:
        """Has the application answer. A response that it does not complete is never ended as if whole."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            _log.exception("an application failed")

    @property
    def whole(self) -> bool:
        return self.complete and not self._left

    @property
    def is_full(self) -> bool:
        """Whether more waits for the application than should."""
        return self._body_size > HIGH_WATER

    # -- what the connection tells

    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self._pieces.append(piece)
        self._body_size += len(piece)
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

    # -- what the application calls

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        if self._expects and not (self._pieces or self.received):
            self._client.write(CONTINUE)
        self._expects = False
        while not self.gone and (self._handed_over or not (self._pieces or self.received)):
            await self._news()
        if self.gone:
            return {"type": "http.disconnect"}
        body, self._pieces, self._body_size = b"".join(self._pieces), [], 0
        self._handed_over = self.received
        self._client.read_on()
        return {"type": "http.request", "body": body, "more_body": not self.received}

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def send(self, message: Message) -> None:
        """ASGI's `send`; returns when the client has taken enough of what went before."""
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], message["headers"])
        else:
            self._send_piece(message["body"], message.get("more_body", False))
            await self._client.drained()

    def _start(self, status: int, headers: Headers) -> None:
        """The head waits for the first piece of the body, to be sent in one go."""
        self._has_body = self.scope["method"] != "HEAD" and status not in BODILESS
        if status == 204:
            headers = [header for header in headers if header[0] != b"content-length"]
        length = next((value for name, value in headers if name == b"content-length"), None)
        if self._has_body:
            self._frame(length)
        fields = [b"%b: %b" % header for header in headers]
        if self._chunked:
            fields.append(b"transfer-encoding: chunked")
        self.keep_alive = self.keep_alive and self._client.keeps_alive()
        if not self.keep_alive:
            fields.append(b"connection: close")
        self._head = _head(status, fields)
        self.started, self._expects = True, False

    def _frame(self, length: bytes | None) -> None:
        """Where the body ends: after its length, with its last chunk, or with its connection."""
        if length is not None:
            self._left = int(length)
        elif self.scope["http_version"] == "1.0":
            self.keep_alive = False
        else:
            self._chunked = True

    def _send_piece(self, body: bytes, more: bool) -> None:
        if not self._has_body:
            body = b""
        elif self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        elif self._left is not None:
            body = body[: self._left]  # more would be taken for the next response
            self._left -= len(body)
        if self._head or body:
            self._client.write(self._head + body)
            self._head = b""
        self.complete = not more


def _head(status: int, fields: list[bytes]) -> bytes:
    head = b"\r\n".join((_status_line(status), _date(int(time.time())), *fields, b"\r\n"))
    if head.count(b"\n") != len(fields) + 3 or head.count(b"\r") != len(fields) + 3:
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
