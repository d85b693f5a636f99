"""Bytes from a client, taken apart into requests by llhttp, within limits of ours (RFC 9112)."""

import re
from collections.abc import Callable

import httptools

from shopkit.client_request import Client, ClientRequest
from shopkit.hygiene import Headers

MAX_LINE = 8190  # bytes of the target, or of a field
MAX_FIELDS = 100
MAX_HEAD = 32768
VERSIONS = ("1.0", "1.1")
_KNOWN = rb"(?!(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) )"
_ODD_METHOD = re.compile(rb"(?:\A|\r\n)" + _KNOWN + rb"[A-Z]{1,20} /\S* HTTP/1\.[01]\r\n")


class Refused(Exception):
    """What came is no request that is taken here, and nothing after it can be made out; `status` says why (HTTP)."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class RequestParser:
    """One connection's; `begin` is told of each request whose head has come. `arriving` is the one whose body comes."""

    def __init__(self, connection: Client, begin: Callable[[ClientRequest], None]) -> None:
        self.arriving: ClientRequest | None = None
        self._connection = connection
        self._begin = begin
        self._parser = httptools.HttpRequestParser(self)
        self._head_size = 0
        self._chunk = 0
        self._at_most = 0  # bytes of the head that is coming, which may have begun behind another request

    def feed(self, data: bytes) -> None:
        """`Refused` for what is no request."""
        self._chunk = len(data)
        self._head_size += self._chunk
        self._at_most += self._chunk
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # nobody upgrades here; what follows a request without a body is the next one
            self.feed(data[upgrade.args[0] :])
        except httptools.HttpParserInvalidMethodError:
            raise Refused(405 if _ODD_METHOD.search(data) else 400) from None
        except httptools.HttpParserError as error:
            raise error.__context__ if isinstance(error.__context__, Refused) else Refused(400) from None
        if self.arriving is None and self._head_size > MAX_HEAD:
            raise Refused(431)

    # -- what llhttp calls

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: Headers = []

    def on_url(self, target: bytes) -> None:
        self._target += target
        if len(self._target) > MAX_LINE:
            raise Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.arriving is None:  # else a trailer: nobody needs those
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser, headers = self._parser, self._headers
        version, upgrade = parser.get_http_version(), parser.should_upgrade()
        values = dict(headers)
        if upgrade or version not in VERSIONS or b"transfer-encoding" in values or len(values) < len(headers):
            _check(headers, values, version, upgrade)
        if len(headers) > MAX_FIELDS or (self._at_most > MAX_LINE and _is_too_long(headers)):
            raise Refused(431)
        path, _, query = self._target.partition(b"?")
        self.arriving = ClientRequest(
            self._connection,
            method=parser.get_method().decode(),
            path=path,
            query=query,
            version=version,
            headers=headers,
            keep_alive=version == "1.1" and parser.should_keep_alive(),
            expects=b"expect" in values and values[b"expect"].lower() == b"100-continue",
        )
        self._begin(self.arriving)

    def on_body(self, piece: bytes) -> None:
        assert self.arriving
        self.arriving.feed(piece)

    def on_message_complete(self) -> None:
        assert self.arriving
        self.arriving.end()
        self.arriving = None
        self._head_size, self._at_most = 0, self._chunk


def _check(headers: Headers, values: dict[bytes, bytes], version: str, upgrade: bool) -> None:
    if version not in VERSIONS or [name for name, _ in headers].count(b"host") > 1:
        raise Refused(400)
    if b"transfer-encoding" in values and values[b"transfer-encoding"].lower() != b"chunked":
        raise Refused(501)
    if upgrade and (b"content-length" in values or b"transfer-encoding" in values):
        raise Refused(400)  # llhttp takes what follows for another protocol's


def _is_too_long(headers: Headers) -> bool:
    sizes = [len(name) + len(value) for name, value in headers]
    return bool(sizes) and (max(sizes) > MAX_LINE or sum(sizes) > MAX_HEAD)
