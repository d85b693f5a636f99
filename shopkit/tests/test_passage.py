"""A request's way through a proxy, without a socket."""

import asyncio

from shopkit.errors import TooManyRequests
from shopkit.hygiene import Headers
from shopkit.passage import Passed
from shopkit.proxy import Forward, Proxy, Request
from shopkit.tests.client import made_request


def refuse(_request: Request) -> Forward | None:
    raise TooManyRequests(1)


async def nowhere(_request: Request, _headers: Headers, _body: bytes) -> tuple[int, Headers, bytes]:
    return 404, [], b""


def proxy() -> Proxy:
    return Proxy(pick=refuse, upstreams={}, fallback=nowhere)


async def ask(asked: Proxy) -> None:
    done = asyncio.Event()
    asked(made_request(headers=[(b"host", b"shop.test")], peer="127.0.0.1"), done.set)
    await asyncio.wait_for(done.wait(), 10)


def test_what_is_recorded_in_vain_keeps_no_client_waiting() -> None:
    def fails(_passed: Passed) -> None:
        raise OSError

    asked = proxy()
    asked.record = fails
    asyncio.run(ask(asked))
