"""One connection of a client's to a proxy: bytes in, requests to the application, one after the other (RFC 9112)."""

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import httptools

from shopkit.answer import ABORT
from shopkit.client_request import ClientRequest
from shopkit.hygiene import Headers
from shopkit.incoming import Scope
from shopkit.refusal import refusal

if TYPE_CHECKING:
    from shopkit.proxy_worker import ProxyWorker

MAX_LINE = 8190  # bytes of the target, or of a field
MAX_FIELDS = 100
MAX_HEAD = 32768
WRITE_AHEAD = 65536
LINGER_S = 2.0
VERSIONS = ("1.0", "1.1")
_RESET = struct.pack("ii", 1, 0)


class _Refused(Exception):
    """Said to the parser: a request that is not taken, and why (HTTP status)."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class ClientConnection(asyncio.Protocol):
    """One connection of a `ProxyWorker`. `idle_since`: when it began to wait for a request, None while it carries one.

    Requests that come together are answered in their order. What is no request is answered in the one error form, after
    what came before it, and ends the connection.
    """

    def __init__(self, worker: "ProxyWorker") -> None:
        self._worker = worker
        self._loop = worker.loop
        self._parser = httptools.HttpRequestParser(self)
        self._arriving: ClientRequest | None = None
        self._active: ClientRequest | None = None
        self._waiting: deque[ClientRequest] = deque()
        self._asked: asyncio.Future[None] | None = None
        self._refusal: int | None = None
        self._head_size = 0
        self._writable: asyncio.Future[None] | None = None
        self._paused = False
        self._closing = False

    # -- what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD)
        self._server, self._peer = (
            name[:2] if isinstance(name := transport.get_extra_info(which), tuple) else None
            for which in ("sockname", "peername")
        )
        self.idle_since: float | None = self._loop.time()
        self._worker.came(self)
        self._serving = self._loop.create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._worker.left(self)
        if self._active is not None:
            self._active.leave()
        self._wake()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._closing or self._refusal:
            return
        self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # nobody upgrades here; what follows a request without a body is the next one
            self.data_received(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(error.__context__.status if isinstance(error.__context__, _Refused) else 400)
        else:
            if self._arriving is None and self._head_size > MAX_HEAD:
                self._refuse(431)
            elif len(self._waiting) > 1 or self._is_full():
                self._pause()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # -- what the parser calls

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: Headers = []
        self._hosts = 0

    def on_url(self, target: bytes) -> None:
        self._target += target
        if len(self._target) > MAX_LINE:
            raise _Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._arriving is not None:  # a trailer: nobody needs those
            return
        name = name.lower()
        if len(name) + len(value) > MAX_LINE or len(self._headers) == MAX_FIELDS:
            raise _Refused(431)
        if name == b"host":
            self._hosts += 1
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise _Refused(501)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        names = dict(self._headers)
        version = self._parser.get_http_version()
        if self._hosts > 1 or version not in VERSIONS:
            raise _Refused(400)
        if self._parser.should_upgrade() and (b"content-length" in names or b"transfer-encoding" in names):
            raise _Refused(400)  # the parser takes what follows for another protocol's
        self._arriving = ClientRequest(
            self,
            self._scope(version),
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            expects=names.get(b"expect", b"").lower() == b"100-continue",
        )
        self._waiting.append(self._arriving)
        self.idle_since = None
        self._wake()

    def on_body(self, piece: bytes) -> None:
        cast(ClientRequest, self._arriving).feed(piece)

    def on_message_complete(self) -> None:
        cast(ClientRequest, self._arriving).end()
        self._arriving = None
        self._head_size = 0

    def _scope(self, version: str) -> Scope:
        path, _, query = self._target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": version,
            "method": self._parser.get_method().decode(),
            "scheme": "http",
            "path": unquote(path.decode("latin-1")) if b"%" in path else path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "server": self._server,
            "client": self._peer,
            "extensions": {ABORT: self.abort},
        }

    # -- what a request calls

    def write(self, data: bytes) -> None:
        if not self._closing:
            self._transport.write(data)

    async def drained(self) -> None:
        if self._writable is not None:
            await self._writable

    def keeps_alive(self) -> bool:
        """Whether the connection stays open for what else may come."""
        return bool(self._worker.alive) and self._refusal is None

    def read_on(self) -> None:
        if self._paused and not self._waiting:
            self._paused = False
            self._transport.resume_reading()

    # -- one request after the other

    async def _serve(self) -> None:
        while not self._closing:
            if self._waiting:
                await self._answer(self._waiting.popleft())
            elif self._refusal:
                self._say_and_close(self._refusal)
            else:
                await self._idle()

    async def _answer(self, request: ClientRequest) -> None:
        self._active = request
        self.read_on()
        await request.run(self._worker.asgi)
        self._active = None
        if self._closing:
            return
        if not request.started:
            self._say_and_close(500)
        elif not request.whole:
            self.abort()
        elif not (request.keep_alive and request.received):
            self._close()

    async def _idle(self) -> None:
        if not self._worker.alive:
            self._close()
            return
        self.idle_since = self._loop.time()
        self._asked = self._loop.create_future()
        await self._asked

    def _wake(self) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def _is_full(self) -> bool:
        return self._active is not None and (bool(self._waiting) or self._active.is_full)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _refuse(self, status: int) -> None:
        """What came is no request, or no body of one: nothing after it can be made out. What came before is answered."""
        self._refusal = status
        if self._arriving is not None and self._arriving is self._active:
            if self._active.started:
                self.abort()
            else:
                self._say_and_close(status)
            self._active.leave()
        elif self._arriving is not None:
            self._waiting.remove(self._arriving)
        self._wake()

    def _say_and_close(self, status: int) -> None:
        self._refusal = status
        self._transport.write(refusal(status))
        self._close()

    # -- the end

    def close_if_idle(self) -> None:
        """Closes the connection unless it carries a request."""
        if self.idle_since is not None and not self._closing:
            self._close()

    def _close(self) -> None:
        """Waits for a client that is still sending, or it might never read the answer (RFC 9112 §9.6)."""
        self._closing = True
        if self._arriving is None and not self._refusal:
            self._transport.close()
            return
        self._transport.resume_reading()
        self._transport.write_eof()
        self._loop.call_later(LINGER_S, self._transport.close)

    def abort(self) -> None:
        """Resets the connection: the client cannot take what it has for the whole."""
        self._closing = True
        client = self._transport.get_extra_info("socket")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()
