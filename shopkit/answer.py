"""The response to one client: begun at most once, in the one error form when refused, never ended as if whole."""

from collections.abc import Awaitable, Callable

from shopkit.errors import ShopError, error_bytes
from shopkit.hygiene import Headers
from shopkit.incoming import Message, Scope, Send

ABORT = "polyshop.abort"
CLIENT_GONE = 499

Then = Callable[[int, Headers], Awaitable[None]]
_REPLACED = frozenset((b"x-request-id", b"server", b"x-powered-by"))


class Answer:
    """Sends what a request is answered with. `status` is `CLIENT_GONE` until an answer begins."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self.status = CLIENT_GONE
        self.started = False
        self.request_id = request_id
        self.served_by = ""
        self.own_headers: Headers = []
        self.then: Then | None = None
        self._scope = scope
        self._send = send

    async def left(self) -> None:
        """The client has gone; what is to be done before it is answered is done all the same."""
        await self._do_then(CLIENT_GONE, [])

    async def _do_then(self, status: int, headers: Headers) -> None:
        then, self.then = self.then, None
        if then is not None:
            await then(status, headers)

    async def start(self, status: int, headers: Headers) -> None:
        """Status and headers; `own_headers` go before any of the same name, and the request id is added, once."""
        await self._do_then(status, headers)
        self.status, self.started = status, True
        if self.own_headers:
            own = [name for name, _ in self.own_headers]
            headers = [header for header in headers if header[0] not in own] + self.own_headers
        headers.append((b"x-request-id", self.request_id.encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(self, body: bytes, more: bool) -> None:
        """A piece of the body; returns when the client has taken enough of what went before."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def refuse(self, error: ShopError) -> None:
        """The error instead of an answer; once an answer has begun, the connection is cut instead."""
        if self.started:
            self._abort(error)
            return
        body = error_bytes(error, self.request_id)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        await self.start(error.status, headers)
        await self.piece(body, more=False)

    async def send(self, message: Message) -> None:
        """The ASGI `send` of another application whose answer this is."""
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            await self.start(message["status"], [header for header in headers if header[0] not in _REPLACED])
        else:
            await self._send(message)

    def _abort(self, error: ShopError) -> None:
        """Resets the client's connection, so that what it has cannot be taken for the whole."""
        abort = self._scope.get("extensions", {}).get(ABORT)
        if abort is None:
            raise error
        abort()


class Recorded(Answer):
    """An answer that is for several, or for later: kept instead of sent."""

    def __init__(self, request_id: str) -> None:
        super().__init__({}, _nowhere, request_id)
        self.headers: Headers = []
        self._pieces: list[bytes] = []

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    async def start(self, status: int, headers: Headers) -> None:
        self.status, self.started, self.headers = status, True, headers

    async def piece(self, body: bytes, more: bool) -> None:
        self._pieces.append(body)


async def _nowhere(_message: Message) -> None: ...
