"""One kept-alive connection to an upstream: bytes in, a response out (RFC 9112)."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from shopkit.errors import BadGateway
from shopkit.hygiene import Headers

MAX_HEAD = 65536
HIGH_WATER = 131072


class Connection(asyncio.Protocol):
    """One connection to an upstream, carrying one exchange at a time.

    `status` is 0 until the response's head is there. `untouched` tells that no byte of the response came, so that
    the request may not even have been read.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.closed = False
        self.fresh = True
        self.idle_since = 0.0
        self.on_news: Callable[[], None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._busy = False
        self._parser = httptools.HttpResponseParser(self)
        self._reset(head_only=False)

    def _reset(self, *, head_only: bool) -> None:
        self.status = 0
        self.headers: Headers = []
        self.untouched = True
        self.complete = False
        self.sent = False
        self._head_only = head_only
        self._head_size = 0
        self._error: Exception | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._keep = False
        self._framed = False
        self._paused = False

    # -- what the exchange calls

    def begin(self, *, head_only: bool) -> None:
        """Ready for the next request; `head_only` when its response has no body (HEAD)."""
        if self._head_only:  # the parser waits for the body that an answer to HEAD has not
            self._parser = httptools.HttpResponseParser(self)
        self._reset(head_only=head_only)
        self._busy = True

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def drained(self) -> None:
        """Returns when the upstream has taken enough of what was written."""
        if self._writable is not None:
            await self._writable

    async def head(self) -> None:
        """Returns when `status` and `headers` are there; raises what went wrong before."""
        while not self.status:
            await self._news()

    async def body(self) -> tuple[bytes, bool]:
        """What came of the body since the last call, and whether more follows; raises when it breaks off."""
        while not self._chunks and not self.complete:
            await self._news()
        return self.taken()

    def taken(self) -> tuple[bytes, bool]:
        """What came of the body since the last call, and whether more follows."""
        taken = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks, self._size = [], 0
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        return taken, not self.complete

    @property
    def whole(self) -> bool:
        """Whether all of the response is there."""
        return self.complete and self._error is None

    @property
    def stale(self) -> bool:
        """Whether it was used before and now gave no byte: as a rule it died while nobody used it."""
        return self.untouched and not self.fresh

    def fail(self, error: Exception) -> None:
        """Ends the connection at once; whoever waits on it gets `error`."""
        if self._error is None:
            self._error = error
        self.transport.abort()
        self._wake()

    def finish(self) -> bool:
        """Ends the exchange; whether the connection can carry another. If not, it is closed."""
        self._busy = False
        self.on_news = None
        reusable = self.complete and self.sent and self._keep and self._error is None and not self.closed
        if reusable:
            self.fresh = False
            self.idle_since = self.loop.time()
        else:
            self.transport.abort()
        return reusable

    def _news(self) -> asyncio.Future[None]:
        """Done when something has come; raises when nothing will."""
        if self._error is not None:
            raise self._error
        self._waiter = self.loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        if self.on_news is not None:
            self.on_news()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # -- what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.untouched = False
        # Bytes that nobody asked for would be taken for the answer to the next request.
        if not self._busy or self.complete:
            self._keep = False
            self.transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(error)
        else:
            if not self.status or self._size > HIGH_WATER:
                self._check_sizes(len(data))
        self._wake()

    def _check_sizes(self, received: int) -> None:
        if not self.status:
            self._head_size += received
            if self._head_size > MAX_HEAD:
                self.fail(BadGateway())
        elif not self._paused and not self.complete:
            self._paused = True
            self.transport.pause_reading()

    def _break(self, error: Exception) -> None:
        self._keep = False
        if not self.complete:
            self.fail(BadGateway())

    def eof_received(self) -> None:
        # RFC 9112 §6.3: a response without any framing ends with its connection; a reset does not end it.
        if self.status and not self._framed:
            self.complete = True
            self._keep = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._error is None and not self.complete:
            self._error = BadGateway()
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # -- what the parser calls

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # trailers are nobody's
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 101:
            raise ValueError("an upgrade nobody asked for")
        if status < 200:
            self.headers.clear()
            return
        values = dict(self.headers)
        chunked = b"transfer-encoding" in values
        if chunked and any(coding.lower() != b"chunked" for coding in self._all(b"transfer-encoding")):
            raise ValueError("an unknown transfer coding")
        self._framed = chunked or b"content-length" in values
        self.status = status
        if self._head_only:
            self._end()

    def _all(self, name: bytes) -> list[bytes]:
        return [value for other, value in self.headers if other == name]

    def on_body(self, chunk: bytes) -> None:
        if self.complete:
            raise ValueError("a body where none may be")
        self._chunks.append(chunk)
        self._size += len(chunk)

    def on_message_complete(self) -> None:
        if self.status and not self.complete:
            self._end()

    def _end(self) -> None:
        self.complete = True
        self._keep = self._parser.should_keep_alive()
