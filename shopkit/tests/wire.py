"""Bytes over real sockets: gunicorn with an application in it, clients, and upstreams that play a script."""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

PATIENCE = 10.0
WORKERS = {
    "ProxyWorker": "shopkit.proxy_worker.ProxyWorker",
    "ServiceWorker": "shopkit.service_worker.ServiceWorker",
}
UPSTREAMS = 60
BIG = 1 << 25  # bytes: more than the two ends of a connection hold
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LIMITS = {
    "connect_s": 0.5,
    "response_head_s": 0.6,
    "idle_s": 0.8,
    "total_s": 3.0,
    "max_body": 12_000_000,
    "json_limit": 1000,
    "max_connections": 2,
}


class Peer:
    """One end of a connection, read and written as bytes, to a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self._rest = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """What comes up to and with `mark`; `ConnectionError` when the connection ends before."""
        while mark not in self._rest:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"ended after {self._rest!r}")
            self._rest += data
        found, _, self._rest = self._rest.partition(mark)
        return found + mark

    def exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"ended after {self._rest!r}")
            self._rest += data
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def head(self) -> bytes:
        return self.until(b"\r\n\r\n")

    def rest(self) -> bytes:
        """All that comes until the other side has closed; `ConnectionResetError` when it did so by force."""
        while data := self.sock.recv(65536):
            self._rest += data
        rest, self._rest = self._rest, b""
        return rest

    def ended(self) -> bool:
        """Waits until the other side is gone, in whatever way."""
        with suppress(ConnectionResetError):
            self.rest()
        return True

    def cut_off(self) -> bool:
        """Waits, without reading, until the other side has reset the connection."""
        events = select.poll()
        events.register(self.sock, select.POLLERR | select.POLLHUP)
        return bool(events.poll(PATIENCE * 1000))

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Upstream:
    """A listening socket whose connections a test takes up one by one."""

    def __init__(self, number: int) -> None:
        self.name = f"u{number}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.authority = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._peers: list[Peer] = []

    def accept(self) -> Peer:
        self._peers.append(Peer(self._listener.accept()[0]))
        return self._peers[-1]

    def take_little(self) -> None:
        """What is sent from now on fills the system's buffers soon."""
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def calls(self) -> bool:
        """Whether a connection waits to be taken up."""
        return bool(select.select([self._listener], [], [], 0)[0])

    def close(self) -> None:
        self._listener.close()
        for peer in self._peers:
            peer.close()

    def path(self, rest: str = "/x/") -> str:
        return f"/{self.name}{rest}"


@dataclass
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name]

    def json(self) -> Any:
        return json.loads(self.body)


def parsed(raw: bytes) -> Response:
    """A response that its connection's end (or its length) delimits, chunks undone."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    response = Response(int(lines[0].split()[1]), headers, body)
    if "chunked" in response.all("transfer-encoding"):
        response.body = _dechunked(body)
    return response


def _dechunked(raw: bytes) -> bytes:
    body = b""
    while True:
        size, _, raw = raw.partition(b"\r\n")
        if int(size, 16) == 0:
            assert raw == b"\r\n"
            return body
        body, raw = body + raw[: int(size, 16)], raw[int(size, 16) + 2 :]


def is_refusal(response: Response, status: int, code: str | None = None) -> bool:
    """Whether it is the one error form, with one request id that agrees, and without a server's name."""
    body = response.json()
    assert (response.status, body["code"]) == (status, code or body["code"]), (response, body)
    assert set(body) == {"error", "code", "details", "request_id"}
    assert response.all("x-request-id") == [body["request_id"]]
    assert response.all("content-type") == ["application/json"]
    return not response.all("server")


def headers_of(head: bytes) -> dict[str, str]:
    """A request's headers; a name that comes twice fails."""
    pairs = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if line]
    assert len({name.lower() for name, _ in pairs}) == len(pairs), pairs
    return {name.lower(): value for name, value in pairs}


class Server:
    """A gunicorn under test."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def connect(self) -> Peer:
        return Peer(socket.create_connection(("127.0.0.1", self.port)))

    def raw(self, data: bytes) -> Response:
        """What is answered to those bytes, the connection being closed after it."""
        peer = self.connect()
        peer.send(data)
        response = parsed(peer.rest())
        peer.close()
        return response

    def get(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Response:
        return self.raw(request(path, *headers, "Connection: close", method=method, body=body))

    def start_get(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> "Waiting":
        """The same, while the test plays the upstream."""
        return Waiting(lambda: self.get(path, *headers, method=method, body=body))

    def memory(self) -> int:
        """The workers' resident memory in bytes."""
        import psutil

        return sum(child.memory_info().rss for child in psutil.Process(self.process.pid).children())

    def descriptors(self) -> int:
        """How many its worker has open."""
        import psutil

        return sum(child.num_fds() for child in psutil.Process(self.process.pid).children())

    def seconds_of_work(self) -> float:
        """The processor's time that its worker has taken, in seconds."""
        import psutil

        return sum(sum(child.cpu_times()[:2]) for child in psutil.Process(self.process.pid).children())


class Waiting:
    """An answer that will come."""

    def __init__(self, ask: Callable[[], Response]) -> None:
        self._result: list[Response | BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(ask,), daemon=True)
        self._thread.start()

    def _run(self, ask: Callable[[], Response]) -> None:
        try:
            self._result.append(ask())
        except BaseException as error:
            self._result.append(error)

    def done(self) -> bool:
        return not self._thread.is_alive()

    def answer(self) -> Response:
        self._thread.join(PATIENCE)
        assert self._result, "no answer in time"
        if isinstance(self._result[0], BaseException):
            raise self._result[0]
        return self._result[0]


def request(path: str, *headers: str, method: str = "GET", body: bytes = b"", host: str = "shop.test") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@contextmanager
def gunicorn(app: str, worker: str, *options: str, env: dict[str, str] | None = None) -> Iterator[Server]:
    """A gunicorn with one worker; it is up when this is entered and gone when it is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        command = [sys.executable, "-m", "gunicorn", app, "-k", WORKERS[worker]]
        command += ["-b", f"fd://{listener.fileno()}", "--keep-alive", "30", "--graceful-timeout", "5"]
        command += ["--forwarded-allow-ips", "", "--no-control-socket", "--log-level", "warning", *options]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()], env={**os.environ, **(env or {})})
        server = Server(process, listener.getsockname()[1])
    try:
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@contextmanager
def proxy(**arguments: object) -> Iterator[tuple[Server, Iterator[Upstream]]]:
    """A gunicorn with a proxy in it, and upstreams that nobody has used, to be taken one by one."""
    upstreams = [Upstream(number) for number in range(UPSTREAMS)]
    settings = {
        "upstreams": {upstream.name: f"http://{upstream.authority}" for upstream in upstreams},
        "limits": LIMITS,
        **arguments,
    }
    with gunicorn("shopkit.tests.wire_apps:application()", "ProxyWorker", env={"WIRE": json.dumps(settings)}) as server:
        yield server, iter(upstreams)
    for upstream in upstreams:
        upstream.close()
