"""A request as it comes to a proxy: what a router looks at, and the body behind it."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from tempfile import SpooledTemporaryFile
from urllib.parse import parse_qs

from shopkit.client_request import ClientRequest
from shopkit.errors import Invalid, TooLarge
from shopkit.hygiene import Arrival, Headers

IN_MEMORY = 256 * 1024  # bytes up to which a body that is held takes no file
PIECE = 64 * 1024


class Later(Exception):
    """What a router has to know to choose is not there yet: once `until()` has returned, it is to be asked again."""

    def __init__(self, until: Callable[[], Awaitable[object]]) -> None:
        self.until = until
        super().__init__()


class Body:
    """A request's body: counted against `limit` (bytes) as it is read, and held as far as somebody looked ahead."""

    def __init__(self, came: ClientRequest | None, length: int | None, limit: int) -> None:
        if length is not None and length > limit:
            raise TooLarge
        self.length = length
        self.ended = length == 0
        self._came = came
        self._limit = limit
        self._count = 0
        self.held = b""
        self._file: SpooledTemporaryFile[bytes] | None = None

    async def read(self) -> bytes:
        """The next piece; `ended` tells whether it was the last. `TooLarge`, `ClientGone`."""
        if self._file is not None:
            return self._read_file(self._file)
        if self.held or self.ended or self._came is None:
            held, self.held = self.held, b""
            return held
        piece, more = await self._came.read()
        self.ended = not more
        self._count += len(piece)
        if self._count > self._limit:
            raise TooLarge
        return piece

    async def hold(self, waits: Callable[[], None]) -> None:
        """Waits for the whole body, which is still read afterwards, and knows its `length`; `waits` before each piece.

        `TooLarge`, `ClientGone`.
        """
        if self.held or self.ended:  # all of it, as far as anybody looks ahead
            self.length = len(self.held)
            return
        waits()
        first = await self.read()
        if self.ended:
            self.held = first
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

    async def whole(self, waits: Callable[[], None]) -> bytes:
        """All of it, waited for as by `hold`."""
        await self.hold(waits)
        pieces = [await self.read()]
        while not self.ended:
            pieces.append(await self.read())
        self.close()
        return b"".join(pieces)

    def _read_file(self, file: "SpooledTemporaryFile[bytes]") -> bytes:
        piece = file.read(PIECE)
        self.ended = file.tell() == self._count
        return piece

    def close(self) -> None:
        """Forgets what is held in a file."""
        if self._file is not None:
            self._file.close()

    async def look_ahead(self, limit: int) -> None:
        """Waits for the whole body, which is `held`, and still read afterwards; `TooLarge` over `limit` bytes."""
        if (self.length or 0) > limit:
            raise TooLarge
        pieces, size = [self.held], len(self.held)
        self.held = b""
        while not self.ended:
            pieces.append(await self.read())
            size += len(pieces[-1])
            if size > limit:
                raise TooLarge
        self.held = b"".join(pieces)


NO_BODY = Body(None, 0, 0)


def _joined(headers: Headers) -> dict[bytes, bytes]:
    values = dict(headers)
    if len(values) < len(headers):
        for name in values:
            values[name] = b", ".join(value for other, value in headers if other == name)
    return values


class Request:
    """What a router sees of a request. `path` is canonical; `query` is as it came; headers are without forged ones.

    `came` is the request as the client made it. `response_headers` are for the router to fill: every answer carries
    them, whoever gives it.
    """

    def __init__(
        self, came: ClientRequest, path: str, arrival: Arrival, body: Body, request_id: str, json_limit: int
    ) -> None:
        self.came = came
        self.method = came.method
        self.path = path
        self.query = came.query.decode("latin-1")
        self.arrival = arrival
        self.body = body
        self.id = request_id
        self.response_headers: Headers = []
        self._json_limit = json_limit
        self._values: dict[bytes, bytes] | None = None

    def header(self, name: str) -> str | None:
        """The value of a header by its lower-case name; several are joined by `, `."""
        if self._values is None:
            self._values = _joined(self.arrival.headers)
        value = self._values.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def replace_header(self, name: str, value: str) -> None:
        """Makes it the one header of that lower-case name which goes on."""
        kept = [header for header in self.arrival.headers if header[0] != name.encode()]
        self.arrival.headers[:] = [*kept, (name.encode(), value.encode("latin-1"))]
        self._values = None

    def query_params(self) -> dict[str, list[str]]:
        """The query's parameters; a name that comes several times has several values."""
        return parse_qs(self.query, keep_blank_values=True)

    def json(self) -> object:
        """The body as JSON, forwarded intact afterwards. `Later` until it has come; `Invalid("malformed_json")`.

        Waiting for it raises `TooLarge` over the limit.
        """
        if not self.body.ended:
            raise Later(partial(self.body.look_ahead, self._json_limit))
        try:
            return json.loads(self.body.held)
        except (ValueError, RecursionError):
            raise Invalid("The body is not valid JSON.", code="malformed_json") from None
