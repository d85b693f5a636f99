"""A request as it comes to a proxy: what a router looks at, and the body behind it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import parse_qs

from shopkit.errors import Invalid, TooLarge
from shopkit.hygiene import Arrival, Headers

IN_MEMORY = 256 * 1024  # bytes up to which a body that is held takes no file
PIECE = 64 * 1024
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class ClientGone(Exception):
    """The client closed its connection: there is nobody to answer."""


async def silence() -> Message:
    """Receives from a client that says no more, and never leaves."""
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never


class Body:
    """A request's body: counted against `limit` (bytes) as it is read, and held as far as somebody looked ahead."""

    def __init__(self, receive: Receive, length: int | None, limit: int) -> None:
        if length is not None and length > limit:
            raise TooLarge
        self.length = length
        self.ended = length == 0
        self._receive = receive
        self._limit = limit
        self._count = 0
        self._held = b""
        self._file: SpooledTemporaryFile[bytes] | None = None

    async def read(self) -> bytes:
        """The next piece; `ended` tells whether it was the last. `TooLarge`, `ClientGone`."""
        if self._file is not None:
            return self._read_file(self._file)
        if self._held or self.ended:
            held, self._held = self._held, b""
            return held
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        self.ended = not message.get("more_body", False)
        self._count += len(piece)
        if self._count > self._limit:
            raise TooLarge
        return piece

    async def hold(self, waits: Callable[[], None]) -> None:
        """Waits for the whole body, which is still read afterwards, and knows its `length`; `waits` before each piece.

        `TooLarge`, `ClientGone`.
        """
        if self._held or self.ended:  # all of it, as far as anybody looks ahead
            self.length = len(self._held)
            return
        waits()
        first = await self.read()
        if self.ended:
            self._held = first
        else:
            self._file = await self._stored(first, waits)
        self.length = self._count

    async def _stored(self, first: bytes, waits: Callable[[], None]) -> "SpooledTemporaryFile[bytes]":
        file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by `close`
        file.write(first)
        while not self.ended:
            waits()
            file.write(await self.read())
        file.seek(0)
        self.ended = False
        return file

    def _read_file(self, file: "SpooledTemporaryFile[bytes]") -> bytes:
        piece = file.read(PIECE)
        self.ended = file.tell() == self._count
        return piece

    def close(self) -> None:
        """Forgets what is held in a file."""
        if self._file is not None:
            self._file.close()

    async def look_ahead(self, limit: int) -> bytes:
        """The whole body, which is still read afterwards; `TooLarge` over `limit` bytes."""
        if (self.length or 0) > limit:
            raise TooLarge
        pieces, size = [self._held], len(self._held)
        self._held = b""
        while not self.ended:
            pieces.append(await self.read())
            size += len(pieces[-1])
            if size > limit:
                raise TooLarge
        self._held = b"".join(pieces)
        return self._held

    async def gone(self) -> None:
        """Returns when the client has gone away; only once the body has ended."""
        while (await self._receive())["type"] == "http.request":
            pass

    async def receive(self) -> Message:
        """The body as the ASGI messages that another application expects."""
        if self.ended and not self._held and self._handed_on:
            await self.gone()
            return {"type": "http.disconnect"}
        try:
            piece = await self.read()
        except ClientGone:
            return {"type": "http.disconnect"}
        self._handed_on = self.ended
        return {"type": "http.request", "body": piece, "more_body": not self.ended}

    _handed_on = False


def _joined(headers: Headers) -> dict[str, str]:
    values: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values


class Request:
    """What a router sees of a request. `path` is canonical; `query` is as it came; headers are without forged ones.

    `response_headers` are for the router to fill: every answer carries them, whoever gives it.
    """

    def __init__(self, scope: Scope, path: str, arrival: Arrival, body: Body, request_id: str, json_limit: int) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path = path
        self.query: str = scope["query_string"].decode("latin-1")
        self.arrival = arrival
        self.body = body
        self.id = request_id
        self.response_headers: Headers = []
        self._json_limit = json_limit
        self._values: dict[str, str] | None = None

    def header(self, name: str) -> str | None:
        """The value of a header by its lower-case name; several are joined by `, `."""
        if self._values is None:
            self._values = {"host": self.arrival.host.decode("latin-1"), **_joined(self.arrival.headers)}
        return self._values.get(name)

    def replace_header(self, name: str, value: str) -> None:
        """Makes it the one header of that lower-case name which goes on."""
        kept = [header for header in self.arrival.headers if header[0] != name.encode()]
        self.arrival.headers[:] = [*kept, (name.encode(), value.encode("latin-1"))]
        self._values = None

    def query_params(self) -> dict[str, list[str]]:
        """The query's parameters; a name that comes several times has several values."""
        return parse_qs(self.query, keep_blank_values=True)

    async def json(self) -> object:
        """The body as JSON, forwarded intact afterwards. `Invalid("malformed_json")`; `TooLarge` over the limit."""
        try:
            return json.loads(await self.body.look_ahead(self._json_limit))
        except (ValueError, RecursionError):
            raise Invalid("The body is not valid JSON.", code="malformed_json") from None
