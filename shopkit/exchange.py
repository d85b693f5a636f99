"""One request carried to its upstream, once it is there as a whole, and the response carried back as a stream."""

import asyncio

from shopkit.answer import Answer
from shopkit.clock import Clock
from shopkit.connection import Connection
from shopkit.errors import BadGateway, GatewayTimeout
from shopkit.hygiene import Headers, encoded_path, response_headers
from shopkit.incoming import ClientGone, Request
from shopkit.upstream import Limits, Upstream

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def request_head(request: Request, path: str, host: bytes, headers: Headers) -> bytes:
    """The request line and headers for the upstream, with framing of our own (RFC 9112 §3, §6)."""
    target = encoded_path(path)
    if request.query:
        target += b"?" + request.query.encode("latin-1")
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), target), b"host: " + host]
    lines += [b"%b: %b" % header for header in headers]
    if (length := request.body.length or 0) or request.method not in SAFE:
        lines.append(b"content-length: %d" % length)
    return b"\r\n".join((*lines, b"\r\n"))


class Exchange:
    """`head` goes to `upstream` with the request's body, which is held; what comes back goes to `answer`.

    Raises what the client is to be told when that fails: `Unavailable`, `BadGateway`, `GatewayTimeout`; `ClientGone`
    when there is nobody to tell.
    """

    def __init__(
        self, request: Request, upstream: Upstream, head: bytes, limits: Limits, clock: Clock, answer: Answer
    ) -> None:
        self._request = request
        self._body = request.body
        self._upstream = upstream
        self._head = head
        self._limits = limits
        self._clock = clock
        self._answer = answer
        self._connection: Connection | None = None
        self._listener: asyncio.Task[None] | None = None

    async def run(self) -> None:
        self._upstream.breaker.check()
        try:
            connection = await self._ask()
            await self._relay(connection)
        finally:
            if self._listener is not None:
                self._listener.cancel()
            self._let_go()

    async def _ask(self) -> Connection:
        first = await self._body.read()
        self._clock.allow(self._limits.total_s, GatewayTimeout)
        connection = self._connection = await self._upstream.connection()
        try:
            await self._attempt(connection, first)
        except BadGateway:
            if not self._died_idle(connection):
                raise
            self._let_go()
            connection = self._connection = await self._upstream.connection(fresh=True)
            await self._attempt(connection, first)
        return connection

    def _died_idle(self, connection: Connection) -> bool:
        """Whether the request can be sent again: it was never answered in any way, and asks for no change."""
        return connection.stale and self._listener is None and self._body.ended and self._request.method in SAFE

    def _let_go(self) -> None:
        if self._connection is not None:
            self._upstream.release(self._connection)
            self._connection = None

    async def _attempt(self, connection: Connection, first: bytes) -> None:
        connection.begin(head_only=self._request.method == "HEAD")
        connection.write(self._head + first if first else self._head)
        if self._body.ended:
            self._all_sent(connection)
            self._clock.on_tick(self._listen)
        else:
            self._listen()
        try:
            await connection.head()
        except BadGateway:
            if not connection.stale:
                self._upstream.breaker.failed()
            raise
        except asyncio.CancelledError:
            if isinstance(self._clock.expired, GatewayTimeout):
                self._upstream.breaker.failed()
            raise
        self._upstream.breaker.succeeded()

    def _all_sent(self, connection: Connection) -> None:
        connection.sent = True
        self._clock.allow(self._limits.response_head_s, GatewayTimeout)

    def _listen(self) -> None:
        if self._listener is None and self._connection is not None:
            self._listener = asyncio.get_running_loop().create_task(self._client_side(self._connection))

    async def _client_side(self, connection: Connection) -> None:
        """Sends on the rest of the body, then waits for the client to leave, which ends the exchange."""
        if not self._body.ended:
            await self._send_rest(connection)
        await self._body.gone()
        connection.fail(ClientGone())

    async def _send_rest(self, connection: Connection) -> None:
        while not self._body.ended:
            connection.write(await self._body.read())
            self._clock.allow(self._limits.idle_s, GatewayTimeout)
            await connection.drained()
        self._all_sent(connection)

    async def _relay(self, connection: Connection) -> None:
        origins = (self._upstream.authority, self._request.arrival.host or self._upstream.authority)
        self._clock.allow(self._limits.idle_s, GatewayTimeout)
        await self._answer.start(connection.status, response_headers(connection.headers, origins))
        piece, more = await connection.body()
        while more:
            await self._answer.piece(piece, more)
            self._clock.allow(self._limits.idle_s, GatewayTimeout)
            piece, more = await connection.body()
        await self._answer.piece(piece, more)
