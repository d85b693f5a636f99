"""The server: one thread a connection, each reading commands and answering them in turn."""

import logging
import os
import signal
import socketserver
from pathlib import Path
from typing import BinaryIO, cast

from shopkit.embedded.commands import execute
from shopkit.embedded.store import Store
from shopkit.embedded.wire import Malformed, encode_reply, read_request

log = logging.getLogger("shopkit.embedded")


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: "_Server"

    def handle(self) -> None:
        try:
            while request := read_request(cast(BinaryIO, self.rfile)):
                reply = execute(self.server.store, request.command)
                if not request.silent:
                    self.wfile.write(encode_reply(request, reply))
        except Malformed as error:
            log.warning("closed a connection: %s", error)
        except OSError:
            pass  # The peer is gone; what it wrote is kept, what it asked for nobody waits for.


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, store: Store) -> None:
        self.store = store
        super().__init__(("127.0.0.1", port), _Connection)


def serve(*, port: int, path: Path) -> None:
    """Serve the documents in `path` (made if need be) on 127.0.0.1 until SIGTERM or SIGINT; call it in the main thread.

    Raises `InUse` if another server has the file, `OSError` if the port is taken.
    """
    # At once: what was acknowledged is on disk, and what was not may be lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    path.parent.mkdir(parents=True, exist_ok=True)
    with _Server(port, Store(path)) as server:
        log.info("embedded development store on 127.0.0.1:%d, documents in %s", server.server_address[1], path)
        server.serve_forever()
