"""A client that is none: its request, for what is tested without a socket."""

import asyncio

from shopkit.client_request import ClientRequest
from shopkit.hygiene import Headers


class Client:
    """A connection that takes everything and keeps none of it."""

    server = ("127.0.0.1", 8000)
    writable: asyncio.Future[None] | None = None

    def __init__(self, peer: str) -> None:
        self.peer = peer

    def write(self, data: bytes) -> None: ...

    def read_on(self) -> None: ...

    def keeps_alive(self) -> bool:
        return True

    def abort(self) -> None: ...


def made_request(
    *, headers: Headers, peer: str, method: str = "GET", path: bytes = b"/", query: bytes = b""
) -> ClientRequest:
    """Whole, without a body."""
    made = ClientRequest(
        Client(peer),
        method=method,
        path=path,
        query=query,
        version="1.1",
        headers=headers,
        keep_alive=True,
        expects=False,
    )
    made.end()
    return made
