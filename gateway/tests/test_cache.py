"""What the gateway keeps for a second, before an upstream that counts how often it is asked."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway import cache
from shopkit.config import ROOT
from shopkit.entry import application
from shopkit.proxy import Proxy
from shopkit.tests import wire
from shopkit.tests.wire import Response, Server

LIST = "/api/items/?type=book"
BOOK = "/api/books/book_1/"


class Shop(ThreadingHTTPServer):
    """An items router whose answers say how often it was written to; `asked` are the requests it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.held, self.writes_held = threading.Event(), threading.Event()
        self.begin()

    def begin(self) -> None:
        """As if it had just been opened."""
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.writes = 0
        self.etag: str | None = None
        self.status = 200
        self.size = 0
        self.broken = False
        self.echoes = False
        self.headers: dict[str, str] = {}
        self.held.set()
        self.writes_held.set()

    def asked_for(self, path: str, method: str = "GET") -> int:
        return sum(1 for asked in self.asked if asked[:2] == (method, path))


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def do_GET(self) -> None:
        shop = self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = {"request_id": headers["x-request-id"]} if shop.echoes else {}
        body = json.dumps({"writes": shop.writes, "padding": "x" * shop.size, **told}).encode()
        unchanged = shop.etag is not None and headers.get("if-none-match") == shop.etag
        shop.asked.append((self.command, self.path, headers))
        if not unchanged:
            shop.held.wait(10)
        self._answer(304 if unchanged else shop.status, b"" if unchanged else body)

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, {}))
        self.server.writes += 1
        self.server.writes_held.wait(10)
        if self.server.broken:
            self.close_connection = True
            return
        self._answer(self.server.status, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None: ...


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    made = Shop()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.held.set()
    made.shutdown()
    made.server_close()


def patient() -> Proxy:
    """A gateway whose second lasts an hour, so that no test depends on how quick it is."""
    cache.FRESH_NS = cache.AHEAD_NS = 3600 * 1_000_000_000
    return application()  # type: ignore[no-any-return]


@contextmanager
def gateway(
    shop: Shop, data: Path, app: str = "gateway.tests.test_cache:patient()", **environment: str
) -> Iterator[Server]:
    env = {
        "SHOP_SERVICE": "gateway",
        "SHOP_LOG_LEVEL": "ERROR",
        "SHOP_DATA": str(data),
        "SHOP_RATE_LIMIT": "off",
        "REDIS_URL": "",
        "ITEMS_ROUTER_URL": f"http://127.0.0.1:{shop.server_port}",
        **environment,
    }
    with wire.gunicorn(app, "ProxyWorker", env=env) as server:
        yield server


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def door(open_shop: Shop, data: Path) -> Iterator[Server]:
    with gateway(open_shop, data) as server:
        yield server


@pytest.fixture
def shop(open_shop: Shop, door: Server) -> Shop:
    """Newly opened, and nothing of it kept."""
    open_shop.begin()
    write(door)
    open_shop.begin()
    return open_shop


def get(server: Server, path: str, *headers: str, method: str = "GET", host: str = "localhost") -> Response:
    body = b"{}" if method == "PATCH" else b""
    return server.raw(wire.request(path, *headers, "Connection: close", host=host, method=method, body=body))


def write(server: Server, path: str = BOOK) -> Response:
    return get(server, path, method="PATCH")


def results(server: Server) -> dict[str, float]:
    lines = get(server, "/metrics").body.decode().splitlines()
    found = [line.split() for line in lines if line.startswith("shop_cache_answers_total{")]
    return {name.split('"')[1]: float(count) for name, count in found}


def test_what_was_asked_a_moment_ago_is_not_asked_again(shop: Shop, door: Server) -> None:
    before = results(door)
    answers = [get(door, LIST) for _ in range(5)]
    assert shop.asked_for(LIST) == 1
    assert {answer.body for answer in answers} == {answers[0].body}
    assert len({tuple(answer.all("x-request-id")) for answer in answers}) == 5
    assert results(door) == {**before, "hit": before["hit"] + 4, "miss": before["miss"] + 1}


def test_answers_have_a_strong_etag_by_which_they_are_asked_for_in_vain(shop: Shop, door: Server) -> None:
    [etag] = get(door, LIST).all("etag")
    assert etag.startswith('"')
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = get(door, LIST, f"If-None-Match: {asked}")
        assert (again.status, again.body, again.all("etag")) == (304, b"", [etag])
    assert get(door, LIST, 'If-None-Match: "other"').status == 200
    write(door)
    changed = get(door, LIST, f"If-None-Match: {etag}")
    assert changed.status == 200
    assert changed.all("etag") != [etag]


@pytest.mark.parametrize("status", [200, 500])
def test_who_writes_reads_what_they_wrote_even_if_the_write_is_said_to_have_failed(
    shop: Shop, door: Server, status: int
) -> None:
    assert get(door, LIST).json()["writes"] == 0
    shop.status = status
    assert write(door).status == status
    shop.status = 200
    assert get(door, LIST).json()["writes"] == 1


@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_a_write_that_is_refused_drops_nothing(shop: Shop, door: Server, status: int) -> None:
    get(door, LIST)
    shop.status = status
    write(door)
    get(door, LIST)
    assert shop.asked_for(LIST) == 1


def test_who_writes_and_leaves_has_dropped_what_is_kept_too(shop: Shop, door: Server) -> None:
    get(door, LIST)
    shop.writes_held.clear()
    writer = door.connect()
    writer.send(wire.request(BOOK, method="PATCH", body=b"{}"))
    wire.wait_until(lambda: shop.asked_for(BOOK, "PATCH") == 1)
    writer.reset()
    wire.wait_until(lambda: get(door, LIST).status == 200 and shop.asked_for(LIST) == 2)
    shop.writes_held.set()


def test_what_is_asked_at_length_is_not_kept(shop: Shop, door: Server) -> None:
    path = f"{LIST}&x={'y' * cache.MAX_QUERY}"
    for _ in range(2):
        get(door, path)
    assert shop.asked_for(path) == 2


def test_a_write_that_gets_no_answer_drops_what_is_kept(shop: Shop, door: Server) -> None:
    get(door, LIST)
    shop.broken = True
    assert write(door).status == 502
    assert get(door, LIST).json()["writes"] == 1


def test_a_read_that_began_before_a_write_is_nobodys_after_it(shop: Shop, door: Server) -> None:
    shop.held.clear()
    early = door.start_get(LIST)
    wire.wait_until(lambda: shop.asked_for(LIST) == 1)
    write(door)
    late = door.start_get(LIST)
    wire.wait_until(lambda: shop.asked_for(LIST) == 2)
    shop.held.set()
    assert early.answer().json()["writes"] == 0
    assert late.answer().json()["writes"] == 1
    assert door.get(LIST).json()["writes"] == 1


def test_many_who_ask_at_once_are_one_who_asks(shop: Shop, door: Server) -> None:
    shop.held.clear()
    waiting = [door.start_get(LIST) for _ in range(20)]
    wire.wait_until(lambda: bool(shop.asked))
    shop.held.set()
    assert {each.answer().status for each in waiting} == {200}
    assert shop.asked_for(LIST) == 1


def test_the_first_to_ask_may_leave_before_the_others_are_answered(shop: Shop, door: Server) -> None:
    shop.held.clear()
    first = door.connect()
    first.send(wire.request(LIST))
    wire.wait_until(lambda: bool(shop.asked))
    second = door.start_get(LIST)
    first.reset()
    shop.held.set()
    assert second.answer().status == 200
    assert shop.asked_for(LIST) == 1


def test_after_a_second_it_is_asked_by_its_etag_and_what_has_not_changed_is_not_sent_again(
    shop: Shop, tmp_path: Path
) -> None:
    with gateway(shop, tmp_path, "shopkit.entry:application()") as door:
        shop.etag = '"7"'
        first = get(door, BOOK)
        wire.wait_until(lambda: get(door, BOOK).body == first.body and shop.asked_for(BOOK) >= 2)
        assert shop.asked[-1][2]["if-none-match"] == '"7"'
        wire.wait_until(lambda: results(door)["unchanged"] >= 1)
        shop.etag, shop.writes = '"8"', 1  # by somebody who did not come through here
        wire.wait_until(lambda: get(door, BOOK).json()["writes"] == 1)


@pytest.mark.parametrize(
    "path",
    [
        "/api/items/recommendations/",
        "/api/items/book_1/like/",
        "/api/items/book_1/similar/",
        "/api/books/book_1/stock/",
        "/api/books/book_1/reviews/mine/",
        "/api/books/export/",
    ],
)
def test_what_is_somebodys_own_is_asked_each_time(shop: Shop, door: Server, path: str) -> None:
    for _ in range(2):
        assert get(door, path).status == 200
    assert shop.asked_for(path) == 2


def test_the_public_is_asked_for_in_nobodys_name(shop: Shop, door: Server) -> None:
    get(door, LIST, "X-User-ID: 123", "Cookie: a=b", "User-Agent: me", 'If-None-Match: "x"')
    [(_, _, headers)] = shop.asked
    assert not headers.keys() & {"x-user-id", "cookie", "user-agent", "if-none-match", "authorization"}


def test_a_customer_who_looks_at_an_item_is_passed_on_since_that_counts(shop: Shop, door: Server) -> None:
    for _ in range(2):
        get(door, BOOK, "X-User-ID: 123")
    assert [headers["x-user-id"] for _, _, headers in shop.asked] == ["123", "123"]


@pytest.mark.parametrize("header", ["Host: other.test", "Origin: https://a.test"])
def test_what_the_answer_depends_on_is_kept_apart(shop: Shop, door: Server, header: str) -> None:
    get(door, LIST, host="shop.test")
    door.raw(f"GET {LIST} HTTP/1.1\r\nConnection: close\r\n{header}\r\n".encode() + host_beside(header))
    assert shop.asked_for(LIST) == 2


@pytest.mark.parametrize("accept", ["*/*", "text/html, */*;q=0.8", "application/json"])
def test_whoever_takes_json_is_given_the_same(shop: Shop, door: Server, accept: str) -> None:
    get(door, LIST)
    get(door, LIST, f"Accept: {accept}")
    assert shop.asked_for(LIST) == 1


def test_who_takes_no_json_is_left_to_the_service(shop: Shop, door: Server) -> None:
    for _ in range(2):
        get(door, LIST, "Accept: text/html")
    assert [headers["accept"] for _, _, headers in shop.asked] == ["text/html"] * 2


def host_beside(header: str) -> bytes:
    return b"\r\n" if header.startswith("Host") else b"Host: shop.test\r\n\r\n"


@pytest.mark.parametrize("status", [404, 500, 503])
def test_failures_are_not_kept(shop: Shop, door: Server, status: int) -> None:
    shop.status = status
    assert get(door, LIST).status == status
    shop.status = 200
    assert get(door, LIST).status == 200


def test_each_who_is_refused_is_told_their_own_request_id(shop: Shop, door: Server) -> None:
    shop.status, shop.echoes = 503, True
    shop.held.clear()
    waiting = [door.start_get(LIST) for _ in range(5)]
    wire.wait_until(lambda: bool(shop.asked))
    shop.held.set()
    for each in waiting:
        assert each.answer().json()["request_id"] == each.answer().all("x-request-id")[0]


@pytest.mark.parametrize("headers", [{"Set-Cookie": "a=b"}, {"Cache-Control": "private"}])
def test_what_the_service_calls_personal_is_not_kept(shop: Shop, door: Server, headers: dict[str, str]) -> None:
    shop.headers = headers
    for _ in range(2):
        get(door, LIST)
    assert shop.asked_for(LIST) == 2


def test_an_answer_that_is_too_large_is_given_whole_and_not_kept(shop: Shop, door: Server) -> None:
    shop.size = cache.MAX_ANSWER
    for _ in range(2):
        assert len(get(door, LIST).json()["padding"]) == shop.size
    assert shop.asked_for(LIST) == 2


def test_answers_kept_take_no_more_room_than_they_may(shop: Shop, door: Server) -> None:
    shop.size = cache.MAX_ANSWER - 100
    wanted = cache.MAX_BYTES // shop.size + 3
    for page in range(wanted):
        get(door, f"{LIST}&page={page}")
    lines = dict(line.split() for line in get(door, "/metrics").body.decode().splitlines() if line[0] != "#")
    assert 0 < float(lines["shop_cache_bytes"]) <= cache.MAX_BYTES
    assert 0 < float(lines["shop_cache_kept"]) < wanted


def test_a_write_through_another_process_of_the_gateway_counts_too(shop: Shop, door: Server, data: Path) -> None:
    with gateway(shop, data) as other:
        get(door, LIST)
        write(other)
        assert get(door, LIST).json()["writes"] == 1


def command(name: str, *arguments: str, port: int) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GATEWAY_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "manage.py", "gateway", name, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_cache_is_warmed_and_looked_into_by_commands(shop: Shop, door: Server) -> None:
    warmed = command("warm_cache", "--pages", "1", port=door.port)
    assert (warmed.returncode, warmed.stdout.splitlines()[-1]) == (0, "12 of 12 answers were given")
    assert shop.asked_for("/api/items/facets/") == 1
    looked = command("inspect_cache", port=door.port)
    counts = {line.split()[0]: line.split()[1] for line in looked.stdout.splitlines()[1:]}
    assert counts == {name: f"{count:.0f}" for name, count in results(door).items()}
    assert int(looked.stdout.split()[0]) >= 12


def test_a_command_that_finds_no_gateway_says_so() -> None:
    done = command("inspect_cache", port=1)
    assert (done.returncode, "Is it running?" in done.stderr) == (1, True)
