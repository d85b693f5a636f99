"""A proxy in front of the customer services that stops steps of moves at chosen points, for as long as a test wants."""

import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shopkit import topology
from tests.waiting import wait_for

STEP = re.compile(r"/internal/customers/([^/]+)/moves/[^/]+/(\w+)/")
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")
STILL_THERE = b"HTTP/1.1 100 Continue\r\n\r\n"  # keeps who waits from giving up (RFC 9110 §15.2.1)
LAST = ("settle", "refuse")


@dataclass(frozen=True)
class Point:
    """Before a step has reached its service, or after it was done there and before anybody hears of it."""

    customer_id: str
    step: str
    after: bool


@dataclass
class Asked:
    """A request to a customer service."""

    port: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def send(self) -> "Answer":
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(self.method, self.path, self.body, self.headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Gates:
    """`stop` says where; `reached` has who waits there; `open` lets them go on. All steps seen may be sent `again`."""

    stops: set[Point] = field(default_factory=set)
    refusing: set[tuple[str, str]] = field(default_factory=set)
    reached: set[Point] = field(default_factory=set)
    seen: list[Asked] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    way_free: threading.Event = field(default_factory=threading.Event)

    def stop(self, customer_id: str, step: str, *, after: bool) -> None:
        self.stops.add(Point(customer_id, step, after))

    def refuse(self, customer_id: str, step: str) -> None:
        """Answers 503 to that step of that customer's moves."""
        self.refusing.add((customer_id, step))

    def wait_reached(self) -> None:
        wait_for(lambda: self.reached >= self.stops)

    def open(self) -> None:
        """Those before a step go on to its service; to those after it, nobody answers any more."""
        self.stops.clear()
        self.way_free.set()

    def close(self) -> None:
        """Forgets all that was, for other moves."""
        self.way_free = threading.Event()
        for kept in (self.refusing, self.reached, self.seen, self.ended):
            kept.clear()

    def again(self) -> list[int]:
        """Sends each step that was seen once more, as calls that were late; the answers' statuses."""
        return [asked.send().status for asked in list(self.seen)]

    @contextlib.contextmanager
    def running(self, offset: int) -> Iterator[dict[str, str]]:
        """The environment with which a fleet's services call each other through here."""
        servers, environment = [], {}
        for service in topology.by_customer_type().values():
            server = _Server(("127.0.0.1", 0), partial(_Handler, self, service.port + offset))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers.append(server)
            environment[f"{service.name.upper()}_URL"] = f"http://127.0.0.1:{server.server_port}"
        try:
            yield environment
        finally:
            for server in servers:
                server.shutdown()
                server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_args: Any) -> None:
        """Whoever was killed while it waited hears nothing; that is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def __init__(self, gates: Gates, port: int, *args: Any) -> None:
        self.gates, self.port = gates, port
        super().__init__(*args)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        asked = Asked(self.port, self.command, self.path, headers, body)
        self.close_connection = True  # unless there is an answer
        if found := STEP.fullmatch(self.path):
            self._step(asked, found[1], found[2])
        else:
            self._answer(asked.send())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _pass_on

    def _step(self, asked: Asked, customer_id: str, step: str) -> None:
        if (customer_id, step) in self.gates.refusing:
            self._answer(Answer(503, [("Content-Type", "application/json")], b'{"code": "store_down"}'))
            return
        self.gates.seen.append(asked)
        if self._waited(Point(customer_id, step, after=False)) and not self._is_heard():
            return
        answer = asked.send()
        if self._waited(Point(customer_id, step, after=True)):
            return
        self._answer(answer)
        if answer.status == 200 and step in LAST:
            self.gates.ended.add(customer_id)

    def _waited(self, point: Point) -> bool:
        """Whether there was a gate; it is open now, or whoever asked is gone."""
        if point not in self.gates.stops:
            return False
        way_free = self.gates.way_free
        self.gates.reached.add(point)
        while not way_free.wait(0.5) and self._is_heard():
            self.wfile.write(STILL_THERE)
            self.wfile.flush()
        return True

    def _is_heard(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            return bool(self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return True

    def _answer(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        self.close_connection = False

    def log_message(self, *_args: Any) -> None:
        """Not to the terminal."""
