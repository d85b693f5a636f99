"""One request carried to its upstream, once it is there as a whole, and the response carried back as a stream."""

import asyncio
from collections.abc import Callable

from shopkit.answer import Answer
from shopkit.client_request import ClientGone
from shopkit.clock import Clock
from shopkit.connection import Connection
from shopkit.errors import BadGateway, GatewayTimeout
from shopkit.hygiene import Headers, encoded_path, response_headers
from shopkit.incoming import NO_BODY, Request
from shopkit.upstream import Limits, Upstream

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def request_head(request: Request, path: str, host: bytes, headers: Headers) -> bytes:
    """The request line and headers for the upstream, with framing of our own (RFC 9112 §3, §6)."""
    target = encoded_path(path)
    if request.query:
        target += b"?" + request.query.encode("latin-1")
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), target), b"host: " + host, *map(b": ".join, headers)]
    if (length := request.body.length or 0) or request.method not in SAFE:
        lines.append(b"content-length: %d" % length)
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


class Exchange:
    """`head` goes to `upstream` with the request's body, which is held; what comes back goes to `answer`."""

    _connection: Connection | None = None
    _listener: asyncio.Task[None] | None = None
    _clock: Clock

    def __init__(self, request: Request, upstream: Upstream, head: bytes, limits: Limits, answer: Answer) -> None:
        self._request = request
        self._body = request.body
        self._upstream = upstream
        self._head = head
        self._limits = limits
        self._answer = answer

    # -- straight on, without a task

    def send_at_once(self, news: Callable[[], None]) -> bool:
        """Sends a request without a body, if that can be done without waiting, and calls `news` when something comes.

        What came is relayed at once, or else by `run`.
        """
        if not self._upstream.breaker.closed or (connection := self._upstream.at_hand()) is None:
            return False
        self._connection = connection
        self._send(connection, b"")
        connection.on_news = news
        return True

    def relay_at_once(self) -> bool:
        """Relays the answer if all of it is there and the client takes it; if not, that is for `run` to do.

        Raises as `run` does.
        """
        connection = self._connection
        if connection is None or not connection.whole or not self._answer.flows:
            return False
        self._upstream.breaker.succeeded()
        self._answer.start_at_once(connection.status, self._passed_on(connection))
        self._answer.piece_at_once(*connection.taken())
        return True

    def ignore_news(self) -> None:
        """No news is wanted any more, until `run`."""
        if self._connection is not None:
            self._connection.on_news = None

    def let_go(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._upstream.release(self._connection)
            self._connection = None

    # -- in a task

    async def run(self, clock: Clock) -> None:
        """Sends the request, unless that was done at once, and relays the answer.

        Raises what the client is to be told when that fails: `Unavailable`, `BadGateway`, `GatewayTimeout`;
        `ClientGone` when there is nobody to tell.
        """
        self._clock = clock
        try:
            await self._relay(await self._ask())
        finally:
            if self._listener is not None:
                self._listener.cancel()
            self.let_go()

    async def _ask(self) -> Connection:
        first = b"" if self._body is NO_BODY else await self._body.read()
        self._clock.allow(self._limits.total_s, GatewayTimeout)
        if self._connection is None:
            self._upstream.breaker.check()
            self._connection = self._upstream.at_hand() or await self._upstream.connection()
            self._send(self._connection, first)
        connection = self._connection
        try:
            await self._hear(connection)
        except BadGateway:
            if not self._died_idle(connection):
                raise
            self.let_go()
            connection = self._connection = await self._upstream.connection(fresh=True)
            self._send(connection, first)
            await self._hear(connection)
        return connection

    def _died_idle(self, connection: Connection) -> bool:
        """Whether the request can be sent again: it was never answered in any way, and asks for no change."""
        return connection.stale and self._listener is None and self._body.ended and self._request.method in SAFE

    def _send(self, connection: Connection, first: bytes) -> None:
        connection.begin(head_only=self._request.method == "HEAD")
        connection.write(self._head + first if first else self._head)
        connection.sent = self._body.ended

    async def _hear(self, connection: Connection) -> None:
        """Waits for the response's head."""
        if connection.sent:
            self._clock.allow(self._limits.response_head_s, GatewayTimeout)
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

    def _listen(self) -> None:
        if self._listener is None and self._connection is not None:
            self._listener = asyncio.get_running_loop().create_task(self._client_side(self._connection))

    async def _client_side(self, connection: Connection) -> None:
        """Sends on the rest of the body, then waits for the client to leave, which ends the exchange."""
        if not self._body.ended:
            await self._send_rest(connection)
        await self._answer.client_left()
        connection.fail(ClientGone())

    async def _send_rest(self, connection: Connection) -> None:
        while not self._body.ended:
            connection.write(await self._body.read())
            self._clock.allow(self._limits.idle_s, GatewayTimeout)
            await connection.drained()
        connection.sent = True
        self._clock.allow(self._limits.response_head_s, GatewayTimeout)

    async def _relay(self, connection: Connection) -> None:
        self._clock.allow(self._limits.idle_s, GatewayTimeout)
        await self._answer.start(connection.status, self._passed_on(connection))
        piece, more = await connection.body()
        while more:
            await self._answer.piece(piece, more)
            self._clock.allow(self._limits.idle_s, GatewayTimeout)
            piece, more = await connection.body()
        await self._answer.piece(piece, more)

    def _passed_on(self, connection: Connection) -> Headers:
        authority = self._upstream.authority
        return response_headers(connection.headers, (authority, self._request.arrival.host or authority))
