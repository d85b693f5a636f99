"""A proxying service's own Django application, run in threads that are kept: one hop from the event loop and back.

Django's own ASGI handler starts a thread for each request, and each of its middlewares goes to that thread and back;
asgiref's `WsgiToAsgi` has one thread for all requests.
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shopkit.incoming import PIECE, Receive, Scope, Send

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
THREADS = 64  # made as they are needed; a view that asks a service which hangs keeps one for seconds
Headers = list[tuple[bytes, bytes]]


class LocalApp:
    """An ASGI application that answers with what a WSGI application does; bodies are held whole, both ways."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="local")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        answer = asyncio.get_running_loop().run_in_executor(self._threads, self._answer, _environ(scope, body))
        status, headers, content = await answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        content = b"" if scope["method"] == "HEAD" else content
        for start in range(0, len(content) or 1, PIECE):  # each has its time to be taken in
            more = start + PIECE < len(content)
            await send({"type": "http.response.body", "body": content[start : start + PIECE], "more_body": more})

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        begun: list[Any] = []
        answer = self._app(environ, lambda status, headers, exc_info=None: begun.extend((status, headers)))
        try:
            content = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in begun[1]]
        return int(begun[0].split()[0]), headers, content


async def _read(receive: Receive) -> bytes | None:
    """The request's body; None when the client has left before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """By PEP 3333."""
    query = scope["query_string"].decode("latin-1")
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    return {
        **_headers(scope["headers"]),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _headers(headers: Headers) -> dict[str, str]:
    """As variables, several of a name joined; a name with an underscore is dropped, since it could pass for another."""
    found: dict[str, str] = {}
    for name, value in headers:
        if b"_" not in name and name != b"content-length":
            key, text = name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            found[key] = f"{found[key]},{text}" if key in found else text
    return found
