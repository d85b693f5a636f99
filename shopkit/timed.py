"""An HTTP adapter of `requests` for calls between services: no TLS, connections that are kept, no cookies, one deadline
for the whole of an answer, however slowly it drips in.

`requests` sees to it that tests can play peers. What it would do by urllib3 and `http.client`, which look for much that
our own services never do, took several times as long.
"""

import re
import select
import socket
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import httptools
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError, ReadTimeoutError

IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
MOST_HEAD = 65536  # bytes
KEPT = 32  # connections to one peer that wait for the next call
AT_ONCE = 65536  # bytes
_PACKED = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_BREAKS = re.compile("[\r\n\0]")


class _NotConnected(ProtocolError):
    """Nothing was asked yet."""


class _Connection:
    def __init__(self, address: tuple[str, int], seconds: float) -> None:
        try:
            self._socket = socket.create_connection(address, seconds)
        except OSError as error:
            raise _NotConnected(str(error)) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)

    def is_dropped(self) -> bool:
        """Whether it was closed, or has something to say that nobody asked for."""
        return bool(self._readable.poll(0))

    def send(self, data: bytes, seconds: float) -> None:
        self._socket.settimeout(seconds)
        self._socket.sendall(data)

    def receive(self, until: float) -> bytes:
        """`TimeoutError` for what comes too late; nothing when it was closed."""
        left = until - time.monotonic()
        if left <= 0 or not self._readable.poll(left * 1000):
            raise TimeoutError("timed out")
        return self._socket.recv(AT_ONCE)

    def close(self) -> None:
        self._socket.close()


class _Answer:
    """What urllib3's `HTTPResponse` is to `requests`: its `raw`, of which the body is yet to be read."""

    reason = ""

    def __init__(self, peer: "_Peer", connection: _Connection, until: float) -> None:
        self._peer, self._connection, self._until = peer, connection, until
        self._parser = httptools.HttpResponseParser(self)
        self._has_head = self._is_whole = self._may_be_kept = False
        self._body = bytearray()
        self.headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()

    # what httptools calls

    def on_message_begin(self) -> None:
        if self._is_whole:
            raise ProtocolError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status: int = self._parser.get_status_code()
        self._has_head = self.status >= 200  # else one more comes
        if not self._has_head:
            self.headers.clear()

    def on_body(self, piece: bytes) -> None:
        self._body += piece

    def on_message_complete(self) -> None:
        self._is_whole = self._has_head
        self._may_be_kept = self._is_whole and self._parser.should_keep_alive()

    # what we do

    def begin(self) -> None:
        """Waits for the head."""
        received = 0
        while not self._has_head:
            if received > MOST_HEAD:
                raise ProtocolError("a head without an end")
            received += self._take_more()

    def _take_more(self) -> int:
        data = self._connection.receive(self._until)
        if not data:
            self._end()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise (HTTPError if self._has_head else ProtocolError)(f"no HTTP: {error}") from error
        return len(data)

    def _end(self) -> None:
        if not self._has_head or {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}:
            raise ProtocolError("broken off")
        self._is_whole = True

    def read(self, most: int, decode_content: bool = True) -> bytes:
        """The body, of which no more is read, or unpacked, than about so many bytes; `HTTPError` for a broken one."""
        try:
            while not self._is_whole and len(self._body) < most:
                self._take_more()
        except TimeoutError as error:
            raise ReadTimeoutError(None, None, str(error)) from error  # type: ignore[arg-type]
        except OSError as error:
            raise HTTPError(str(error)) from error
        self._leave()
        return self._unpacked(most) if decode_content else bytes(self._body)

    def _unpacked(self, most: int) -> bytes:
        coding = self.headers.get("content-encoding", "identity").lower()
        if coding == "identity":
            return bytes(self._body)
        try:
            return zlib.decompressobj(_PACKED[coding]).decompress(bytes(self._body), most)
        except (KeyError, zlib.error) as error:
            raise HTTPError(f"of an unknown coding, or broken: {coding}") from error

    def _leave(self) -> None:
        if self._may_be_kept:
            self._peer.keep(self._connection)
        else:
            self.close()

    def close(self) -> None:
        self._connection.close()


class _Peer:
    """A service at its address, and the connections to it: whichever was used last is the next."""

    def __init__(self, authority: str) -> None:
        at = urlsplit(f"//{authority}")
        self._authority, self._address = authority, (at.hostname or "", at.port or 80)
        self._waiting: deque[_Connection] = deque()

    def urlopen(
        self, *, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: Any, **_more: Any
    ) -> _Answer:
        """As urllib3's pool does it: once more where nothing was asked yet, or where it may be asked twice."""
        request = self._request(method, url, body, headers)
        ask = partial(self._ask, request, timeout.connect_timeout, timeout.read_timeout)
        try:
            return self._again_if_broken(ask, may_repeat=method in IDEMPOTENT)
        except TimeoutError as error:
            raise ReadTimeoutError(None, url, str(error)) from error  # type: ignore[arg-type]

    def _again_if_broken(self, ask: Callable[[], _Answer], *, may_repeat: bool) -> _Answer:
        try:
            return ask()
        except TimeoutError:  # who waited in vain does not wait again, since our own caller waits too
            raise
        except (OSError, ProtocolError) as error:
            if not (may_repeat or isinstance(error, _NotConnected)):
                raise
        return ask()

    def _request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        said = [f"{name}: {value}" for name, value in headers.items()]
        if body is None and method not in ("GET", "DELETE"):
            said.append("Content-Length: 0")
        if any(map(_BREAKS.search, said)):
            raise InvalidHeader("a header of more than one line")
        target = quote(url, safe="/?=&%:@!$'()*+,;~-._")
        lines = (f"{method} {target} HTTP/1.1", f"Host: {self._authority}", "Accept-Encoding: identity", *said)
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")

    def _ask(self, request: bytes, to_connect: float, seconds: float) -> _Answer:
        connection = self._kept() or _Connection(self._address, to_connect)
        answer = _Answer(self, connection, time.monotonic() + seconds)
        try:
            connection.send(request, seconds)
            answer.begin()
        except BaseException:
            connection.close()
            raise
        return answer

    def _kept(self) -> _Connection | None:
        while self._waiting:
            try:
                connection = self._waiting.pop()
            except IndexError:  # another thread had the last one
                return None
            if not connection.is_dropped():
                return connection
            connection.close()
        return None

    def keep(self, connection: _Connection) -> None:
        if len(self._waiting) < KEPT:
            self._waiting.append(connection)
        else:
            connection.close()


class TimedAdapter(HTTPAdapter):
    def __init__(self) -> None:
        super().__init__()
        self._peers: dict[str, _Peer] = {}

    def get_connection_with_tls_context(self, request: PreparedRequest, *_args: Any, **_more: Any) -> Any:
        authority = urlsplit(request.url or "").netloc
        return self._peers.get(authority) or self._peers.setdefault(authority, _Peer(authority))

    def cert_verify(self, *_: Any) -> None: ...

    def request_url(self, request: PreparedRequest, _proxies: Any) -> str:
        url = urlsplit(request.url or "")
        return f"{url.path}?{url.query}" if url.query else url.path

    def build_response(self, request: PreparedRequest, resp: Any) -> Response:
        made = Response()
        made.status_code, made.raw, made.request, made.url = resp.status, resp, request, str(request.url)
        made.headers = CaseInsensitiveDict(resp.headers)
        return made
