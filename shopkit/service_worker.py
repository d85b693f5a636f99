"""gunicorn's thread worker with a loop of its own, its errors in the one error form, and no server named.

gunicorn's loop hands each request from the main thread to another and back. Here all threads wait for the same
connections, and whichever wakes up answers, which costs a third less (`docs/performance.md`).
"""

import contextlib
import errno
import math
import select
import socket
import struct
import threading
import time
from typing import Any

import gunicorn.util
from gunicorn.http import parser, unreader, wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from shopkit import garbage
from shopkit.listening import Listening
from shopkit.refusal import refusal

SILENCE_S = 15  # a whole number, in which a client sends something, or reads something
ARRIVAL_S = 30.0  # in which the whole of a request has come, from when a thread waits for it
TAKING_S = 60.0  # for which a thread waits for who reads its answers more slowly than this, in bytes a second:
SLOWEST = 10_000
LINGER_S = 2.0  # in which a client who did not know that we stop, or that we close, finds out
TICK_S, STOP_TICK_S = 1.0, 0.02
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_ONCE = select.EPOLLIN | select.EPOLLONESHOT  # whoever is woken by it has it to themselves


class _Socket(socket.socket):
    """A client's connection, of which `left` is how long a thread may still wait for them to read."""

    def __init__(self, client: socket.socket) -> None:
        super().__init__(client.family, client.type, client.proto, client.detach())
        self.left = TAKING_S

    def sendall(self, data: Any, flags: int = 0) -> None:
        """`TimeoutError` for who has read too slowly; what they read in time is no credit for later."""
        rest = memoryview(data)
        while rest:
            if self.left < 0:
                raise TimeoutError("an answer was not read in time")
            began = time.monotonic()
            sent = self.send(rest, flags)
            self.left = min(TAKING_S, self.left + sent / SLOWEST - (time.monotonic() - began))
            rest = rest[sent:]


class _Response(wsgi.Response):  # type: ignore[misc]
    def can_sendfile(self) -> bool:
        return False  # it would go past the limit on who reads slowly

    def default_headers(self) -> list[str]:
        return [header for header in super().default_headers() if not header.startswith("Server:")]


class _Unreader(unreader.SocketUnreader):  # type: ignore[misc]
    until = math.inf

    def chunk(self, size_hint: int | None = None) -> Any:
        if time.monotonic() > self.until:
            raise TimeoutError("a request did not arrive in time")
        return super().chunk(size_hint)


class _Connection(TConn):  # type: ignore[misc]
    ending = False  # it has had its last answer

    def init(self) -> None:
        super().init()
        self.parser.unreader.until = time.monotonic() + ARRIVAL_S  # here, as gunicorn calls it for each request

    def asks(self) -> bool:
        """Whether a request has come, for which no thread has been free."""
        with contextlib.suppress(OSError):  # nothing has come, or somebody has closed it
            return not self.ending and bool(self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False


def _write_error(client: socket.socket, status: int, reason: str, message: str) -> None:
    gunicorn.util.write_nonblock(client, refusal(status))


def _half_close(client: socket.socket) -> None:
    with contextlib.suppress(OSError):  # they have gone
        client.shutdown(socket.SHUT_WR)


class ServiceWorker(Listening, ThreadWorker):  # type: ignore[misc]
    """For a service that answers by itself, in threads; who is silent or slow within a request loses its thread."""

    def init_process(self) -> None:
        # as plain attributes: gunicorn looks each of two dozen up anew, through two calls, for each request
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        # gunicorn has no setting for any
        gunicorn.util.write_error = _write_error
        gunicorn.util.close_graceful = _half_close  # its own waits for the client, and closes what is ours to close
        parser.SocketUnreader = _Unreader
        wsgi.Response = _Response
        self._ready = select.epoll()
        self._open: set[_Connection] = set()
        self._idle: dict[int, _Connection] = {}  # by file descriptor; whoever takes one out has it to themselves
        super().init_process()

    def run(self) -> None:
        garbage.settle()
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
        if self._has_room():
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
            if connection.timeout <= now and not connection.asks() and (idle := self._idle.pop(descriptor, None)):
                self._close(idle)

    def _work(self, listeners: dict[int, socket.socket]) -> None:
        while True:
            for descriptor, _ in self._ready.poll(maxevents=1):
                if listener := listeners.get(descriptor):
                    self._take_up(listener)
                elif connection := self._idle.pop(descriptor, None):
                    self._attend(connection)

    def _take_up(self, listener: socket.socket) -> None:
        """All that wait to be taken up: one at a time, each would queue behind the requests of those before it."""
        try:
            while self._has_room():
                client, address = listener.accept()
                self._welcome(_Connection(self.cfg, _Socket(client), address, listener.getsockname()))
        except OSError as error:  # there are no more, or we stop
            if error.errno in _EXHAUSTED:
                self.log.warning("no connection can be taken up: %s", error)
                return  # until the next tick, as it would fail again at once
        with contextlib.suppress(OSError):
            if self._has_room():
                self._ready.modify(listener, _ONCE)

    def _has_room(self) -> bool:
        return bool(self.alive and len(self._open) < self.worker_connections)

    def _welcome(self, connection: _Connection) -> None:
        for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.sock.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", SILENCE_S, 0))
        connection.data_ready = True  # when it is handled it has been waited for, here
        connection.set_timeout()
        self._open.add(connection)
        self._wait_for(connection, self._ready.register)

    def _attend(self, connection: _Connection) -> None:
        try:
            if connection.ending:
                self._drain(connection)
            elif self._answer(connection):
                connection.set_timeout()
                self._wait_for(connection, self._ready.modify)
            else:
                self._end(connection)
        except (Exception, SystemExit):  # of which this thread must not die
            self.log.exception("a connection failed")
            self._close(connection)

    def _answer(self, connection: _Connection) -> bool:
        """One request, and those that came with it; whether there may be more."""
        keep = self.handle(connection)
        while keep and connection.parser.unreader.buf.getvalue():
            keep = self.handle(connection)
        return bool(keep)

    def _end(self, connection: _Connection) -> None:
        """Lets the client close: if we did, what it still sends could cost it the answer (RFC 9112 §9.6)."""
        _half_close(connection.sock)
        connection.ending = True
        connection.timeout = time.monotonic() + LINGER_S
        self._wait_for(connection, self._ready.modify)

    def _drain(self, connection: _Connection) -> None:
        with contextlib.suppress(OSError):  # they have gone
            if connection.sock.recv(65536, socket.MSG_DONTWAIT) and time.monotonic() < connection.timeout:
                self._wait_for(connection, self._ready.modify)
                return
        self._close(connection)

    def _wait_for(self, connection: _Connection, arm: Any) -> None:
        self._idle[connection.sock.fileno()] = connection  # first, or who is woken finds nothing
        arm(connection.sock, _ONCE)

    def _close(self, connection: _Connection) -> None:
        self._open.discard(connection)
        gunicorn.util.close(connection.sock)
