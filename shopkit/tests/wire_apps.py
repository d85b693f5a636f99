"""The applications that gunicorn runs in the tests over real sockets: a proxy, a service, and one that fails."""

import asyncio
import itertools
import json
import os
import re
import resource
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from shopkit import service_worker
from shopkit.client_request import ClientGone, ClientRequest
from shopkit.errors import Conflict
from shopkit.hygiene import Headers
from shopkit.passage import Passed
from shopkit.proxy import Forward, Limits, Proxy, Request
from shopkit.tests.wire import BIG

ODD: dict[bytes, tuple[list[tuple[bytes, bytes]], bytes]] = {
    b"/silent": ([], b""),
    b"/split": ([(b"x-a", b"1\r\nx-b: 2")], b""),
    b"/over": ([(b"content-length", b"2")], b"okHTTP/1.1 200 OK\r\n\r\n"),
    b"/under": ([(b"content-length", b"9")], b"ok"),
}


def application() -> Proxy:
    """The proxy that `wire.proxy` starts: `/u7/…` goes to the upstream `u7`, the rest stays here."""
    settings = json.loads(os.environ["WIRE"])
    limits = Limits(**settings.pop("limits"))
    dropped = frozenset(settings.pop("drop_headers", ()))
    made = Proxy(pick=_pick, fallback=_fallback, limits=limits, drop_headers=dropped, service_name="here", **settings)
    if "WIRE_LOG" in os.environ:
        made.record = _told
    return made


def _told(passed: Passed) -> None:
    print(json.dumps({**passed._asdict(), "path": passed.path.decode()}), flush=True)


def _pick(wanted: Request) -> Forward | None:
    if "told" in wanted.query_params():
        wanted.response_headers.append((b"x-told", b"here"))
    if "conflict" in wanted.query_params():
        raise Conflict
    if "bug" in wanted.query_params():
        raise ValueError("a bug in a router")
    if "json" in wanted.query_params():
        wanted.json()
    match = re.match(r"/(u\d+)/", wanted.path)
    if match is None:
        return None
    then = _noted(wanted) if "noted" in wanted.query_params() else None
    return Forward(match[1], wanted.path, then=then, or_here=wanted.path if "spare" in wanted.query_params() else None)


def _noted(wanted: Request) -> Callable[[int, list[tuple[bytes, bytes]]], Awaitable[None]]:
    """Says in the answer itself what it saw of it."""

    async def then(status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await asyncio.sleep(0)
        headers.append((b"x-noted", f"{wanted.method} {status}".encode()))

    return then


async def _fallback(request: Request, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    """Tells, as JSON, what it was asked."""
    told = {
        "path": request.path,
        "headers": [[name.decode(), value.decode()] for name, value in headers],
        "body": body.decode(),
    }
    content = bytes(BIG) if request.query == "endless" else json.dumps(told).encode()
    return 200, [(b"server", b"django"), (b"x-request-id", b"another")], content


def service(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI service that gives back its body, once it has all of it."""
    if environ["PATH_INFO"] == "/bug":
        raise ValueError("a bug in a service")
    if environ["PATH_INFO"] == "/exit":
        sys.exit()
    if environ["PATH_INFO"] == "/begun":
        return _begun(start_response)
    if environ["PATH_INFO"] in ("/long", "/endless"):
        start_response("200 OK", [])
        return itertools.repeat(bytes(65536), *([BIG // 65536] if environ["PATH_INFO"] == "/long" else []))
    body = bytes(BIG) if environ["PATH_INFO"] == "/big" else environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _begun(start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "10")])
    yield b"begun"
    raise ValueError("a bug in a service that has begun to answer")


def hasty() -> Callable[..., Iterable[bytes]]:
    """The same service, with the limits of its worker as WIRE says, and `spare` descriptors left if it says that."""
    limits = json.loads(os.environ["WIRE"])
    if spare := limits.pop("spare", None):
        last = max(int(open_one.name) for open_one in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + spare, last + spare))
    for name, value in limits.items():
        setattr(service_worker, name, value)
    return service


def plain(came: ClientRequest, done: Callable[[], None]) -> None:
    """Gives back the body, or answers as the path says: at odds with itself."""
    asyncio.get_running_loop().create_task(_answered(came, done))


async def _answered(came: ClientRequest, done: Callable[[], None]) -> None:
    with suppress(ClientGone, ValueError):
        headers, body = ODD.get(came.path, ([], b""))
        more = came.path not in ODD
        while more:
            piece, more = await came.read()
            body += piece
        if came.path != b"/silent":
            came.start(200, headers)
            came.write(body, more=False)
            await came.drained()
    done()


def cut_short(came: ClientRequest, done: Callable[[], None]) -> None:
    """Says that it is done before it has answered, or after it has begun to."""
    if came.path == b"/begun":
        came.start(200, [])
    asyncio.get_running_loop().call_soon(done)
