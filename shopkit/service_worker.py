"""gunicorn's thread worker with a loop of its own, its errors in the one error form, and no server named.

gunicorn's loop hands each request from the main thread to another and back. Here all threads wait for the same
connections, and whichever wakes up answers, which costs a third less (`docs/performance.md`).
"""

import contextlib
import math
import select
import socket
import struct
import threading
import time
from typing import Any

import gunicorn.util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from shopkit.proxy_worker import refusal

SILENCE_S = 15
LINGER_S = 2.0  # in which a client who did not know that we stop gets an answer
TICK_S, STOP_TICK_S = 1.0, 0.02
_SILENCE = struct.pack("ll", SILENCE_S, 0)
_ONCE = select.EPOLLIN | select.EPOLLONESHOT  # whoever is woken by it has it to themselves


class _Response(wsgi.Response):  # type: ignore[misc]
    def default_headers(self) -> list[str]:
        return [header for header in super().default_headers() if not header.startswith("Server:")]


def _write_error(client: socket.socket, status: int, reason: str, message: str) -> None:
    gunicorn.util.write_nonblock(client, refusal(status))


class ServiceWorker(ThreadWorker):  # type: ignore[misc]
    """For a service that answers by itself, in threads; who falls silent within a request loses its thread."""

    def init_process(self) -> None:
        # gunicorn has no setting for either
        gunicorn.util.write_error = _write_error
        wsgi.Response = _Response
        self._ready = select.epoll()
        self._open: set[TConn] = set()
        self._idle: dict[int, TConn] = {}  # by file descriptor; whoever takes one out has it to themselves
        super().init_process()

    def run(self) -> None:
        listeners = {listener.fileno(): listener for listener in self.sockets}
        for listener in self.sockets:
            listener.setblocking(False)
            self._ready.register(listener, _ONCE)
        threads = [threading.Thread(target=self._work, args=(listeners,), daemon=True) for _ in range(self.cfg.threads)]
        for thread in threads:
            thread.start()
        while self.alive and self.is_parent_alive():
            self._tick(listeners)
        self._finish(listeners)

    def _tick(self, listeners: dict[int, socket.socket]) -> None:
        """Once a second, or when a signal comes."""
        self.notify()
        self._close_idle(time.monotonic())
        if len(self._open) < self.worker_connections:
            for listener in listeners:
                self._ready.modify(listener, _ONCE)
        select.select([self.method_queue.fileno()], [], [], TICK_S)

    def _finish(self, listeners: dict[int, socket.socket]) -> None:
        """Requests that have come are answered, and connections that carry none closed, both for a while only."""
        self.alive = False  # it still was, if it is the parent that has gone
        for listener in listeners:
            self._ready.unregister(listener)
        linger = time.monotonic() + LINGER_S
        until = time.monotonic() + self.cfg.graceful_timeout
        while self._open and time.monotonic() < until:
            self.notify()
            self._close_idle(time.monotonic() if time.monotonic() < linger else math.inf)
            time.sleep(STOP_TICK_S)

    def _close_idle(self, now: float) -> None:
        for descriptor, connection in list(self._idle.items()):
            if connection.timeout <= now and self._idle.pop(descriptor, None):
                self._close(connection, graceful=False)  # nothing was asked, so there is nothing they could miss

    def _work(self, listeners: dict[int, socket.socket]) -> None:
        while True:
            for descriptor, _ in self._ready.poll(maxevents=1):
                if listener := listeners.get(descriptor):
                    self._take_up(listener)
                elif connection := self._idle.pop(descriptor, None):
                    self._attend(connection)

    def _take_up(self, listener: socket.socket) -> None:
        """All that wait to be taken up: one at a time, each would queue behind the requests of those before it."""
        with contextlib.suppress(OSError):  # there are no more, or we stop
            while self.alive and len(self._open) < self.worker_connections:
                client, address = listener.accept()
                self._welcome(TConn(self.cfg, client, address, listener.getsockname()))
        with contextlib.suppress(OSError):
            if self.alive and len(self._open) < self.worker_connections:
                self._ready.modify(listener, _ONCE)

    def _welcome(self, connection: TConn) -> None:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SILENCE)
        connection.data_ready = True  # when it is handled it has been waited for, here
        self._open.add(connection)
        self._wait_for(connection, self._ready.register)

    def _attend(self, connection: TConn) -> None:
        """One request, and those that came with it."""
        try:
            keep = self.handle(connection)
            while keep and connection.parser.unreader.buf.getvalue():
                keep = self.handle(connection)
            if keep:
                self._wait_for(connection, self._ready.modify)
            else:
                self._close(connection)
        except Exception:  # of which this thread must not die
            self.log.exception("a connection failed")
            self._close(connection)

    def _wait_for(self, connection: TConn, arm: Any) -> None:
        connection.set_timeout()
        self._idle[connection.sock.fileno()] = connection  # first, or who is woken finds nothing
        arm(connection.sock, _ONCE)

    def _close(self, connection: TConn, *, graceful: bool = True) -> None:
        self._open.discard(connection)
        connection.close(graceful=graceful)
