"""The response to one client: begun at most once, in the one error form when refused, never ended as if whole."""

import asyncio
from collections.abc import Awaitable, Callable

from shopkit.client_request import ClientRequest
from shopkit.errors import ShopError, error_bytes
from shopkit.hygiene import Headers

CLIENT_GONE = 499

Then = Callable[[int, Headers], Awaitable[None]]


class Answer:
    """Sends what a request is answered with. `status` is `CLIENT_GONE` until an answer begins."""

    status = CLIENT_GONE
    started = False
    own_headers: Headers = []  # nobody's yet
    then: Then | None = None

    def __init__(self, came: ClientRequest, request_id: str, served_by: str) -> None:
        self.request_id = request_id
        self.served_by = served_by
        self._came = came

    async def client_left(self) -> None:
        """Returns when there is nobody to answer any more."""
        await self._came.left()

    async def left(self) -> None:
        """The client has gone; what is to be done before it is answered is done all the same."""
        await self._do_then(CLIENT_GONE, [])

    async def _do_then(self, status: int, headers: Headers) -> None:
        then, self.then = self.then, None
        if then is not None:
            await then(status, headers)

    async def start(self, status: int, headers: Headers) -> None:
        """Status and headers; `own_headers` go before any of the same name, and the request id is added, once."""
        if self.then is not None:
            await self._do_then(status, headers)
        self.start_at_once(status, headers)

    def start_at_once(self, status: int, headers: Headers) -> None:
        """The same where there is nothing to be done before."""
        if self.own_headers:
            own = [name for name, _ in self.own_headers]
            headers = [header for header in headers if header[0] not in own] + self.own_headers
        headers.append((b"x-request-id", self.request_id.encode()))
        self._came.start(status, headers)
        self.status, self.started = status, True

    @property
    def flows(self) -> bool:
        """Whether the client has taken enough of what went before."""
        return self._came.flows

    def piece_at_once(self, body: bytes, more: bool) -> None:
        """A piece of the body, whether or not the client has taken what went before."""
        self._came.write(body, more)

    async def piece(self, body: bytes, more: bool) -> None:
        """A piece of the body; returns when the client has taken enough of what went before."""
        self._came.write(body, more)
        await self._came.drained()

    async def refuse(self, error: ShopError) -> None:
        """The error instead of an answer; once an answer has begun, the connection is cut instead."""
        if self.started:
            self._came.abort()  # so that what the client has cannot be taken for the whole
            return
        body = error_bytes(error, self.request_id)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        await self.start(error.status, headers)
        await self.piece(body, more=False)


class Recorded(Answer):
    """An answer that is for several, or for later: kept instead of sent."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.headers: Headers = []
        self._pieces: list[bytes] = []

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    async def client_left(self) -> None:
        """Never."""
        await asyncio.get_running_loop().create_future()

    async def start(self, status: int, headers: Headers) -> None:
        self.status, self.started, self.headers = status, True, headers

    async def piece(self, body: bytes, more: bool) -> None:
        self._pieces.append(body)
