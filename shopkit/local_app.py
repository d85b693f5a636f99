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

from shopkit.hygiene import Headers, encoded_path
from shopkit.incoming import Request

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
THREADS = 64  # made as they are needed; a view that asks a service which hangs keeps one for seconds


class LocalApp:
    """Answers with what a WSGI application does; bodies are whole, both ways."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="local")

    async def __call__(self, request: Request, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        """Status, headers and body of the answer to that request, with these headers."""
        environ = _environ(request, headers, body)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, environ)

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


def _environ(request: Request, headers: Headers, body: bytes) -> dict[str, Any]:
    """By PEP 3333."""
    raw_path, query = encoded_path(request.path).decode("latin-1"), request.query
    return {
        **_variables(headers),
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "RAW_URI": raw_path + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": request.came.server[0],
        "SERVER_PORT": str(request.came.server[1]),
        "SERVER_PROTOCOL": f"HTTP/{request.came.version}",
        "REMOTE_ADDR": request.came.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _variables(headers: Headers) -> dict[str, str]:
    """Several of a name joined; a name with an underscore is dropped, since it could pass for another."""
    found: dict[str, str] = {}
    for name, value in headers:
        if b"_" not in name and name != b"content-length":
            key, text = name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            found[key] = f"{found[key]},{text}" if key in found else text
    return found
