"""Bytes from a client, taken apart into requests by llhttp, within limits of ours (RFC 9112)."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import httptools

from shopkit.client_request import ClientRequest
from shopkit.hygiene import Headers
from shopkit.incoming import Scope

MAX_LINE = 8190  # bytes of the target, or of a field
MAX_FIELDS = 100
MAX_HEAD = 32768
VERSIONS = ("1.0", "1.1")
_KNOWN = rb"(?!(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) )"
_ODD_METHOD = re.compile(rb"(?:\A|\r\n)" + _KNOWN + rb"[A-Z]{1,20} /\S* HTTP/1\.[01]\r\n")
_ASGI = {"version": "3.0", "spec_version": "2.4"}

Begin = Callable[..., ClientRequest]
"""Takes a request whose head has come: `(scope, keep_alive=…, expects=…)`."""


class Refused(Exception):
    """What came is no request that is taken here, and nothing after it can be made out; `status` says why (HTTP)."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class RequestParser:
    """One connection's. `arriving` is the request whose body is coming, until all of it has."""

    def __init__(self, begin: Begin) -> None:
        self.arriving: ClientRequest | None = None
        self._begin = begin
        self._parser = httptools.HttpRequestParser(self)
        self._head_size = 0

    def feed(self, data: bytes) -> None:
        """`Refused` for what is no request."""
        self._head_size += len(data)
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
        if self.arriving is not None:  # a trailer: nobody needs those
            return
        if len(name) + len(value) > MAX_LINE or len(self._headers) == MAX_FIELDS:
            raise Refused(431)
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        values = dict(self._headers)
        version = self._parser.get_http_version()
        if version not in VERSIONS or [name for name, _ in self._headers].count(b"host") > 1:
            raise Refused(400)
        if values.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise Refused(501)
        if self._parser.should_upgrade() and (b"content-length" in values or b"transfer-encoding" in values):
            raise Refused(400)  # llhttp takes what follows for another protocol's
        self.arriving = self._begin(
            self._scope(version),
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            expects=values.get(b"expect", b"").lower() == b"100-continue",
        )

    def on_body(self, piece: bytes) -> None:
        assert self.arriving
        self.arriving.feed(piece)

    def on_message_complete(self) -> None:
        assert self.arriving
        self.arriving.end()
        self.arriving = None
        self._head_size = 0

    def _scope(self, version: str) -> Scope:
        path, _, query = self._target.partition(b"?")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": self._parser.get_method().decode(),
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
        }
