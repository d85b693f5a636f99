"""One connection of a client's to a proxy: bytes in, requests to be answered, one after the other (RFC 9112)."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from shopkit.client_request import ClientRequest
from shopkit.refusal import refusal
from shopkit.request_parser import Refused, RequestParser

WRITE_AHEAD = 65536
LINGER_S = 2.0
TAKING_S = 60.0  # for which a connection that is closed waits for who does not take the rest
_RESET = struct.pack("ii", 1, 0)

Application = Callable[[ClientRequest, Callable[[], None]], None]
"""Answers a request, and calls back later, once it has; what it did not complete is never ended as if whole."""


class Worker(Protocol):
    """What a connection needs of whoever serves it; no more requests are taken once it is not `alive`."""

    loop: asyncio.AbstractEventLoop
    application: Application
    alive: bool

    def came(self, connection: "ClientConnection") -> None: ...

    def left(self, connection: "ClientConnection") -> None: ...


class ClientConnection(asyncio.Protocol):
    """One connection of a client's. `idle_since`: when it began to wait for a request, None while it carries one.
    `server` is the address that was called, `peer` that of who called; `writable` is done when the client takes more.

    Requests that come together are answered in their order. What is no request is answered in the one error form, after
    what came before it, and ends the connection.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._loop = worker.loop
        self._application = worker.application
        self._parser = RequestParser(self, self._begin)
        self._active: ClientRequest | None = None
        self._waiting: deque[ClientRequest] = deque()
        self._refusal: int | None = None
        self.writable: asyncio.Future[None] | None = None
        self._paused = False
        self._closing = False

    # -- what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD)
        self.server = _address(transport.get_extra_info("sockname"), ("localhost", 80))
        self.peer = _address(transport.get_extra_info("peername"), ("unknown", 0))[0]
        self.idle_since: float | None = self._loop.time()
        self._worker.came(self)
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._worker.left(self)
        if self._active is not None:
            self._active.leave()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._closing or self._refusal:
            return
        try:
            self._parser.feed(data)
        except Refused as refused:
            self._refuse(refused.status)
        else:
            self._go_on()
            if self._waiting or self._parser.arriving is not None:
                self._pause_if_full()

    def pause_writing(self) -> None:
        self.writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self.writable is not None and not self.writable.done():
            self.writable.set_result(None)
        self.writable = None

    # -- what the parser calls

    def _begin(self, request: ClientRequest) -> None:
        self._waiting.append(request)

    # -- what a request calls

    def write(self, data: bytes) -> None:
        if not self._closing:
            self._transport.write(data)

    def keeps_alive(self) -> bool:
        """Whether the connection stays open for what else may come."""
        return self._worker.alive

    def read_on(self) -> None:
        if self._paused and not self._waiting:
            self._paused = False
            self._transport.resume_reading()

    # -- one request after the other

    def _go_on(self) -> None:
        """Takes up the next request, or whatever else is to be done, unless one is being answered."""
        if self._active is not None or self._closing:
            return
        if self._waiting:
            self._active, self.idle_since = self._waiting.popleft(), None
            self.read_on()
            self._application(self._active, self._answered)
        elif self._refusal:
            self._say_and_close(self._refusal)
        elif not self._worker.alive:
            self._close()
        elif self.idle_since is None:  # a request that comes bit by bit gives no more time
            self.idle_since = self._loop.time()

    def _answered(self) -> None:
        request, self._active = self._active, None
        if self._closing or request is None:
            return
        if not request.started:
            self._say_and_close(500)
        elif not request.whole:
            self.abort()
        elif not (request.keep_alive and request.received):
            self._close()
        else:
            self._go_on()

    def _pause_if_full(self) -> None:
        """One request may wait while another is answered, and of a body so much as a request takes."""
        full = bool(self._waiting) or (self._active is not None and self._active.is_full)
        if full and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _refuse(self, status: int) -> None:
        """What came is no request, or no body of one, and nothing after it can be made out."""
        self._refusal = status
        broken = self._parser.arriving
        if broken is not None and broken in self._waiting:
            self._waiting.remove(broken)
        elif broken is not None:
            if broken.started:
                self.abort()
            else:
                self._say_and_close(status)
            broken.leave()
        self._go_on()

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
        if self._transport.get_write_buffer_size():
            self._loop.call_later(TAKING_S, self._transport.abort)
        if self._parser.arriving is None and not self._refusal:
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


def _address(name: object, unknown: tuple[str, int]) -> tuple[str, int]:
    """A socket's address; one in the file system has none."""
    return cast(tuple[str, int], name[:2]) if isinstance(name, tuple) else unknown
