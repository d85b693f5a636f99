"""gunicorn's worker for asyncio, with connections of our own and a `Proxy` in the place of an ASGI application."""

import asyncio
import os
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

from shopkit import garbage, records
from shopkit.client_connection import Application, ClientConnection
from shopkit.listening import Listening

TICK_S = 1.0


class ProxyWorker(Listening, ASGIWorker):  # type: ignore[misc]
    """For a service that proxies. On SIGTERM requests finish; connections that carry none are closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[ClientConnection] = set()

    def came(self, connection: ClientConnection) -> None:
        self.connections.add(connection)
        self.nr_conns += 1

    def left(self, connection: ClientConnection) -> None:
        self.connections.discard(connection)
        self.nr_conns -= 1

    async def _serve(self) -> None:
        garbage.settle()
        self.application: Application = self.asgi
        for listener in self.sockets:
            self.servers.append(await self.loop.create_server(lambda: ClientConnection(self), sock=listener.sock))
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._close_idle(self.loop.time() - self.cfg.keepalive)
            await asyncio.sleep(TICK_S)
        await self._shutdown()

    def _close_idle(self, since: float) -> None:
        """Those that have waited for a request since then."""
        for connection in tuple(self.connections):
            if connection.idle_since is not None and connection.idle_since <= since:
                connection.close_if_idle()

    def _cleanup(self) -> None:
        super()._cleanup()
        records.flush()  # with what was cut off

    async def _shutdown(self) -> None:
        for connection in tuple(self.connections):
            connection.close_if_idle()
        await super()._shutdown()
