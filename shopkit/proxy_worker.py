"""gunicorn's ASGI worker, made to answer its own errors in the one error form and to name no server."""

import asyncio
import re
import socket
import struct
from http import HTTPStatus
from typing import Any

from gunicorn.asgi import protocol
from gunicorn.asgi.parser import PythonProtocol
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from shopkit import garbage
from shopkit.answer import ABORT
from shopkit.errors import HeadersTooLarge, Invalid, ShopError, error_bytes
from shopkit.listening import Listening
from shopkit.request_id import HEADER, sane_or_new

LINGER_S = 2.0
_RESET = struct.pack("ii", 1, 0)
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # in a field's value: RFC 9110 §5.5


def refusal(status: int) -> bytes:
    """A whole HTTP response for a request that no application got to see."""
    request_id = sane_or_new(None)
    body = error_bytes(_error(status), request_id)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{HEADER}: {request_id}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _error(status: int) -> ShopError:
    if status == 400:
        return Invalid("The request is not well-formed HTTP.", code="malformed_request")
    if status == 414:
        return ShopError("The request line is longer than this service takes.", status=414, code="uri_too_long")
    if status == 431:
        return HeadersTooLarge()
    if status < 500 or status == 501:
        return ShopError("This service does not take such a request.", status=status, code="not_taken")
    return ShopError(status=status)


class Parser(PythonProtocol):  # type: ignore[misc]
    """gunicorn's, which looks at each byte of a header by itself: at a token's alone, longer than at all the rest."""

    __slots__ = ()

    def _is_valid_token(self, name: bytes) -> bool:
        return _TOKEN.fullmatch(name) is not None

    def _has_invalid_header_chars(self, value: bytes) -> bool:
        return _FORBIDDEN.search(value) is not None


class Protocol(ASGIProtocol):  # type: ignore[misc]
    """One client connection of a `ProxyWorker`."""

    _refused = False
    _lingering = False
    _closed: bool
    _response_buffer: bytes

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.worker.connections.add(self)
        # gunicorn limits the wait for the later requests of a connection only, not for its first.
        self._arm_keepalive_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._lingering:
            super().data_received(data)

    def close_if_idle(self) -> None:
        """Closes the connection unless a request is being answered on it."""
        if self._awaiting_request:
            self._keepalive_timeout()

    def _is_websocket_upgrade(self, request: Any) -> bool:
        # As an ordinary request it is refused by the application, in our form.
        return False

    def _will_close(self, request: Any, response_requires_close: bool) -> bool:
        # Without chunks, a response of unknown length can only end with its connection.
        return bool(request.version < (1, 1) or super()._will_close(request, response_requires_close))

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._build_http_scope(request, sockname, peername)
        scope["extensions"] = {ABORT: self._abort}
        return scope

    async def _serve_http_request(self, request: Any, sockname: Any, peername: Any) -> bool:
        # A proxy has nothing left to do after its response, so it needs no task of its own to do it in.
        keep: bool = await self._handle_http_request(request, sockname, peername)
        return keep

    def _send_response_start(self, status: int, headers: Any, request: Any, close: bool = False) -> None:
        super()._send_response_start(status, headers, request, close)
        self._response_buffer = self._response_buffer.replace(b"Server: gunicorn/asgi\r\n", b"", 1)

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        self._refused = True
        self._safe_write(refusal(status))

    def _close_transport(self) -> None:
        """Waits for a client that is still sending, or it might never read the answer (RFC 9112 §9.6)."""
        unread = self._body_receiver is not None and not self._body_receiver._complete
        if self._closed or not (unread or self._refused):
            super()._close_transport()
            return
        self._closed = self._lingering = True
        self._resume_reading()
        self.transport.write_eof()
        self.worker.loop.call_later(LINGER_S, self.transport.close)

    def _abort(self) -> None:
        """Resets the connection: the client cannot take what it has for the whole."""
        self._closed = True
        client = self.transport.get_extra_info("socket")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class ProxyWorker(Listening, gasgi.ASGIWorker):  # type: ignore[misc]
    """For a service that proxies. On SIGTERM requests finish; connections that carry none are closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Protocol] = set()

    async def _serve(self) -> None:
        # `_serve` finds the class of its connections by this name, and they that of theirs; there is no other way.
        gasgi.ASGIProtocol, protocol.PythonProtocol = Protocol, Parser
        garbage.settle()
        await super()._serve()

    async def _shutdown(self) -> None:
        for connection in tuple(self.connections):
            connection.close_if_idle()
        await super()._shutdown()
