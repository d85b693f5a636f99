"""What fails is answered for in our form and in time, comes back by itself, and takes nothing else with it."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from shopkit import topology
from shopkit.upstream import DEFAULTS
from tests.fleet import Fleet, running, unheard
from tests.stores import free_port
from tests.waiting import at_most, wait_for

RESTART_SECONDS, NOTICED_SECONDS = 3.0, 4.0
DEADLINE_SECONDS = DEFAULTS.response_head_s
SERVICES = ("gateway", "items_router", *(service.name for service in topology.by_item_type().values()))
SERVICES += ("customer_router", "guest_customer")
LISTS = ("/api/items/", "/api/items/?strict=true")
UNHARMED = ("/api/laptops/", "/api/items/?type=mobile", "/api/collections/", "/api/guest-customer/", "/docs/")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet to do harm to: it recovers, or a test has failed."""
    with running(tmp_path_factory.mktemp("faults") / "data", offset=1000, services=SERVICES) as fleet:
        for name in SERVICES[1:]:
            fleet.wait_ready(name)
        yield fleet


def _is_error(answer: requests.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text[:300]
    assert set(answer.json()) == {"error", "code", "details", "request_id"}
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) >= 1


# -- a service that hangs


@dataclass(frozen=True)
class Timed:
    answer: requests.Response
    seconds: float


@pytest.fixture(scope="module")
def hung(small: Fleet) -> dict[str, list[Timed]]:
    """What was asked, all at once, while the book service hung; and, `after` all that, the same path again."""

    def ask(path: str) -> Timed:
        start = time.monotonic()
        answer = small.get(path, timeout=30)
        return Timed(answer, time.monotonic() - start)

    paths = ["/api/books/"] * 6 + ["/api/items/book_1/", "/health/ready"]
    with small.hanging("book_service"):
        with ThreadPoolExecutor(len(paths)) as pool:
            asked = [(path, pool.submit(ask, path)) for path in paths]
            others = {path: [ask(path)] for path in UNHARMED}
            known = lambda: small.get("/api/items/").json()["sources"]["book"] == "snapshot"  # noqa: E731
            wait_for(known, seconds=at_most(NOTICED_SECONDS))
            asked += [(path, pool.submit(ask, path)) for path in LISTS]
            answers: dict[str, list[Timed]] = dict(others)
            for path, future in asked:
                answers.setdefault(path, []).append(future.result())
        answers["after"] = [ask("/api/books/")]
        answers["others after"] = [ask(path) for path in UNHARMED]
    return answers


def test_a_hanging_service_is_answered_for_within_the_deadline(hung: dict[str, list[Timed]]) -> None:
    for timed in hung["/api/books/"] + hung["/api/items/book_1/"]:
        _is_error(timed.answer, 503, 504)
        assert timed.seconds < at_most(DEADLINE_SECONDS + 1)
    assert {timed.answer.status_code for timed in hung["/api/books/"]} >= {504}


def test_once_it_is_known_to_hang_it_is_refused_at_once(hung: dict[str, list[Timed]]) -> None:
    _is_error(hung["after"][0].answer, 503)
    assert hung["after"][0].seconds < at_most(1)


def test_meanwhile_and_afterwards_all_others_answer(hung: dict[str, list[Timed]]) -> None:
    for timed in [hung[path][0] for path in UNHARMED] + hung["others after"]:
        assert timed.answer.status_code == 200, timed.answer.url
        assert timed.seconds < at_most(DEADLINE_SECONDS)


def test_the_combined_list_says_that_its_items_are_as_they_were(hung: dict[str, list[Timed]]) -> None:
    timed = hung["/api/items/"][0]
    assert timed.answer.status_code == 200
    assert timed.answer.json()["sources"] == {
        item_type: "snapshot" if item_type == "book" else "live" for item_type in topology.by_item_type()
    }


def test_the_strict_combined_list_refuses_instead(hung: dict[str, list[Timed]]) -> None:
    timed = hung["/api/items/?strict=true"][0]
    _is_error(timed.answer, 503)
    assert timed.seconds < at_most(DEADLINE_SECONDS)


def test_the_gateway_says_that_it_is_down(hung: dict[str, list[Timed]]) -> None:
    timed = hung["/health/ready"][0]
    assert timed.answer.status_code == 503
    states = timed.answer.json()["dependencies"]
    assert states["book_service"] == "down"
    assert states["laptop_service"] == "ok"
    assert timed.seconds < at_most(DEADLINE_SECONDS)


def test_a_service_that_goes_on_is_back_without_anyone_doing_anything(small: Fleet) -> None:
    with small.hanging("mobile_service"):
        _is_error(small.get(unheard("/api/mobiles/")), 503, 504)
    small.wait_ready("mobile_service")
    for path in ("/api/mobiles/", "/api/books/"):
        wait_for(lambda path=path: small.get(path).status_code == 200)  # type: ignore[misc]
    wait_for(lambda: set(small.get("/api/items/").json()["sources"].values()) == {"live"})


# -- clients that are slow


def test_whoever_sends_or_reads_slowly_keeps_nobody_else_waiting(small: Fleet) -> None:
    slow = []
    for _ in range(12):  # more than the threads of a service
        slow.append(socket.create_connection(("127.0.0.1", small.port("gateway"))))
        slow[-1].sendall(b"POST /api/books/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n")
        slow[-1].sendall(b'Content-Type: application/json\r\n\r\n{"name": "Emma"')
        slow.append(socket.create_connection(("127.0.0.1", small.port("gateway"))))
        slow[-1].sendall(b"GET /api/books/?page_size=100 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    try:
        for at in ("gateway", "items_router", "book_service"):
            answer = small.get(unheard("/api/books/"), at=at, timeout=at_most(DEADLINE_SECONDS))
            assert answer.status_code == 200
    finally:
        for client in slow:
            client.close()


# -- a process that dies


def _alive(fleet: Fleet, name: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return fleet.get("/health/live", at=name, timeout=at_most(1)).status_code == 200
    return False


@pytest.mark.parametrize("name", ["gateway", "items_router", "book_service", "guest_customer"])
@pytest.mark.parametrize("who", ["leader", "worker"])
def test_what_is_killed_is_back_within_three_seconds_and_nothing_else_is_harmed(
    small: Fleet, name: str, who: str
) -> None:
    workers = small.workers(name)
    start = time.monotonic()
    os.kill(small.pid(name) if who == "leader" else workers[0], signal.SIGKILL)
    for other in SERVICES:
        assert other == name or _alive(small, other)
    wait_for(lambda: _replaced(small, name, workers) and _alive(small, name))
    assert time.monotonic() - start < at_most(RESTART_SECONDS)
    wait_for(lambda: small.get("/api/items/book_none/").status_code == 404)


def _replaced(fleet: Fleet, name: str, workers: list[int]) -> bool:
    with contextlib.suppress(FileNotFoundError):  # the leader's successor is not there yet
        return bool(now := fleet.workers(name)) and not set(now) & set(workers)
    return False


def test_what_was_acknowledged_outlives_a_store_that_is_killed(small: Fleet) -> None:
    posted = [small.call("POST", "/api/items/", json=_book(number)) for number in range(20)]
    start = time.monotonic()
    os.kill(small.pid("mongodb"), signal.SIGKILL)
    posted += [small.call("POST", "/api/items/", json=_book(number)) for number in range(20, 30)]
    wait_for(lambda: small.get("/api/books/").status_code == 200)
    assert time.monotonic() - start < at_most(RESTART_SECONDS)
    wait_for(lambda: small.get("/api/items/").json()["sources"]["book"] == "live")
    for answer in posted:
        if answer.status_code == 201:
            kept = small.get(f"/api/items/{answer.json()['id']}/")
            assert kept.json() == answer.json()
        else:
            _is_error(answer, 503, 504)
    assert [answer.status_code for answer in posted[:20]] == [201] * 20


def test_a_store_that_hangs_is_503_in_time_and_back_when_it_goes_on(small: Fleet) -> None:
    with small.hanging("mongodb"):
        start = time.monotonic()
        _is_error(small.get(unheard("/api/books/")), 503, 504)
        assert time.monotonic() - start < at_most(DEADLINE_SECONDS + 1)
        assert small.get("/api/guest-customer/").status_code == 200
    wait_for(lambda: small.get("/api/books/").status_code == 200)


def _book(number: int) -> dict[str, str]:
    return {"type": "book", "name": f"Book {number}", "author": "A. Nonymous", "isbn": "9780132350884"}


# -- an upstream that babbles

JUNK = b"\x00\xffHello! I am not an HTTP server.\r\n" * 10
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SCRIPTS: dict[str, Callable[[socket.socket], object]] = {
    "junk": lambda client: client.sendall(JUNK),
    "endless": lambda client: client.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 100_000),
    "silence": lambda client: None,
    "cut_off": lambda client: client.sendall(HEAD + b"Content-Le"),
    "upgrade": lambda client: client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\n\r\n"),
    "drip": lambda client: _drip(client),
    "short": lambda client: client.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"count": 1'),
    "broken_chunk": lambda client: client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "no_gzip": lambda client: client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
    "html": lambda client: client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
    "other_json": lambda client: client.sendall(HEAD + b"Content-Length: 2\r\n\r\n[]"),
    "odd_json": lambda client: client.sendall(HEAD + b'Content-Length: 29\r\n\r\n{"count": "x", "results": {}}'),
    "redirect": lambda client: client.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"
    ),
    "server_error": lambda client: client.sendall(
        b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nTraceback"
    ),
}


def _drip(client: socket.socket) -> None:
    """A head that never ends, a byte at a time."""
    with contextlib.suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            client.sendall(b"a")
            time.sleep(0.2)


class Babbler:
    """Answers each connection with its `script` or, without one, with the script that a word in the request names,
    else with junk; and hangs up. `asked` are the first lines of the requests since it was given a script.
    """

    def __init__(self) -> None:
        self.script, self.asked = "", list[str]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=self._listener.accept()[:1], daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            asked = client.recv(65536).partition(b"\r\n")[0].decode()
            self.asked.append(asked)
            SCRIPTS[self.script or next((word for word in SCRIPTS if word in asked), "junk")](client)

    @contextlib.contextmanager
    def saying(self, script: str) -> Iterator[None]:
        """Whatever it is asked."""
        self.script, self.asked = script, []
        try:
            yield
        finally:
            self.script = ""

    def close(self) -> None:
        self._listener.close()


BABBLING = ("book_service", "clothes_service", "cart_service", "order_service", "paying_service", "shipping_service")


@pytest.fixture(scope="module")
def babblers() -> Iterator[dict[str, Babbler]]:
    made = {name: Babbler() for name in BABBLING}
    yield made
    for babbler in made.values():
        babbler.close()


@pytest.fixture(scope="module")
def babbling(tmp_path_factory: pytest.TempPathFactory, babblers: dict[str, Babbler]) -> Iterator[Fleet]:
    """Books, clothes and all transaction services babble; nobody listens where laptops should be; mobiles are well."""
    environment = {f"{name.upper()}_URL": babbler.url for name, babbler in babblers.items()}
    environment["LAPTOP_SERVICE_URL"] = f"http://127.0.0.1:{free_port()}"
    data = tmp_path_factory.mktemp("babbling") / "data"
    services = ("gateway", "items_router", "mobile_service")
    with running(data, offset=1100, services=services, environment=environment) as fleet:
        yield fleet


@pytest.mark.parametrize(
    ("path", "script"),
    [
        # at most four for each upstream: the fifth failure in a row opens its breaker
        ("/api/books/", "junk"),
        ("/api/books/", "endless"),
        ("/api/books/", "silence"),
        ("/api/clothes/", "cut_off"),
        ("/api/clothes/", "upgrade"),
        ("/api/clothes/", "redirect"),
        ("/api/carts/", "junk"),
        ("/api/carts/", "endless"),
        ("/api/orders/", "silence"),
        ("/api/orders/", "upgrade"),
        ("/api/payments/", "redirect"),
        ("/api/payments/", "cut_off"),
    ],
)
def test_an_upstream_that_babbles_is_502(babbling: Fleet, path: str, script: str) -> None:
    answer = babbling.get(path, params={"search": script}, allow_redirects=False)
    _is_error(answer, 502)
    assert "not an HTTP server" not in answer.text


def test_an_upstream_that_never_comes_to_the_point_is_504_within_the_deadline(babbling: Fleet) -> None:
    start = time.monotonic()
    _is_error(babbling.get("/api/shipments/", params={"search": "drip"}), 504)
    assert time.monotonic() - start < at_most(DEADLINE_SECONDS + 1)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_service_that_is_not_there_is_503(babbling: Fleet, method: str) -> None:
    _is_error(babbling.call(method, "/api/laptops/", json={"name": "x"}), 503)


def _is_polled(babbler: Babbler) -> bool:
    """Whether the items router has made what it can of an answer: of three calls one is neither a second try of the
    same poll nor still under way."""
    return sum("/internal/changes/" in asked for asked in list(babbler.asked)) >= 3


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_combined_list_makes_do_with_those_that_answer(
    babbling: Fleet, babblers: dict[str, Babbler], script: str
) -> None:
    books, clothes = babblers["book_service"], babblers["clothes_service"]
    with books.saying(script), clothes.saying(script):
        wait_for(lambda: _is_polled(books) and _is_polled(clothes))
        answer = babbling.get(unheard("/api/items/"))
        strict = babbling.get(unheard("/api/items/?strict=true"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["sources"] == {
        item_type: "live" if item_type == "mobile" else "snapshot" for item_type in topology.by_item_type()
    }
    _is_error(strict, 503)


def test_nothing_of_it_all_was_an_error_of_our_own(small: Fleet, babbling: Fleet) -> None:
    for fleet, names in ((small, SERVICES), (babbling, ("gateway", "items_router", "mobile_service"))):
        for name in names:
            assert [line for line in fleet.log(name) if str(line.get("event")).startswith("unhandled")] == []
            assert "Traceback" not in _without_warnings(fleet.data / "logs" / f"{name}.log")


def _without_warnings(log: Path) -> str:
    """`/health/ready` says with a warning, and why, that a store is down."""
    return "\n".join(line for line in log.read_text().splitlines() if "dependency down" not in line)
