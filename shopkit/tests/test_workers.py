"""What gunicorn answers by itself, and how it stops, with each of our workers."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopkit.tests import wire
from shopkit.tests.wire import OK, Peer, Server, Upstream, is_refusal, request

Gateway = tuple[Server, Iterator[Upstream]]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with wire.proxy() as running:
        yield running


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", "--threads", "2") as running:
        yield running


@pytest.fixture(scope="module")
def hasty() -> Iterator[Server]:
    limits = {"WIRE": json.dumps({"SILENCE_S": 1, "ARRIVAL_S": 1, "LINGER_S": 0.1})}
    with wire.gunicorn("shopkit.tests.wire_apps:hasty()", "ServiceWorker", "--threads", "2", env=limits) as running:
        yield running


@pytest.fixture(params=["ProxyWorker", "ServiceWorker"])
def server(request: pytest.FixtureRequest, gateway: Gateway, service: Server) -> Server:
    return gateway[0] if request.param == "ProxyWorker" else service


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n", 501),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 65536 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: 1\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_is_not_http_is_refused_in_the_one_error_form(server: Server, raw: bytes, status: int) -> None:
    answer = server.raw(raw)
    assert is_refusal(answer, status)
    assert answer.all("connection") == ["close"]


def test_a_header_without_end_is_refused_as_soon_as_it_is_too_long(gateway: Gateway) -> None:
    client = gateway[0].connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 65536)
    assert is_refusal(wire.parsed(client.rest()), 431)
    client.close()


@pytest.mark.parametrize("size", [b"zz", b"-1", b"1_0", b" 3"])
def test_a_broken_chunk_is_refused_or_cuts_the_connection(server: Server, size: bytes) -> None:
    raw = b"POST /here HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc\r\n0\r\n\r\n"
    assert is_refusal(server.raw(raw), 400)


def test_no_answer_names_the_server(server: Server) -> None:
    answer = server.get("/here")
    assert answer.status == 200
    assert not answer.all("server")
    assert b"gunicorn" not in repr(answer).encode()


def test_an_application_that_fails_is_a_500_in_the_one_error_form(service: Server) -> None:
    assert is_refusal(service.get("/bug"), 500, "internal_error")
    with wire.gunicorn("shopkit.tests.wire_apps:cut_short", "ProxyWorker") as server:
        assert is_refusal(server.get("/"), 500, "internal_error")


def test_a_connection_that_sends_no_request_is_closed_after_the_keep_alive_time() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:cut_short", "ProxyWorker", "--keep-alive", "1") as server:
        silent, slow = server.connect(), server.connect()
        slow.send(b"GET / HTTP/1.1\r\nHost: ")
        assert silent.ended()
        assert slow.ended()


def test_a_service_closes_what_asks_for_nothing_after_the_keep_alive_time() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", "--keep-alive", "1") as server:
        silent, asked = server.connect(), server.connect()
        asked.send(request("/"))
        asked.head()
        assert silent.ended()
        assert asked.ended()


def test_silent_clients_take_no_thread_of_a_service(service: Server) -> None:
    silent = [service.connect() for _ in range(5)]  # of two threads
    assert service.get("/").status == 200
    for client in silent:
        client.send(request("/", "Connection: close"))
    assert all(wire.parsed(client.rest()).status == 200 for client in silent)


def test_requests_that_come_together_are_answered_one_after_the_other(service: Server) -> None:
    client = service.connect()
    client.send(request("/") + request("/", "Connection: close"))
    assert client.rest().count(b"HTTP/1.1 200 OK") == 2


def test_clients_that_do_not_read_lose_their_threads(hasty: Server) -> None:
    deaf = [hasty.connect() for _ in range(2)]  # of two threads
    for client in deaf:
        client.send(request("/big"))
    assert hasty.get("/").status == 200
    assert any(len(client.rest()) < wire.BIG for client in deaf)


def test_clients_that_read_a_little_again_and_again_lose_their_threads() -> None:
    limits = {"WIRE": json.dumps({"TAKING_S": 0.5, "SLOWEST": 1 << 40})}  # faster than anybody reads
    with wire.gunicorn("shopkit.tests.wire_apps:hasty()", "ServiceWorker", "--threads", "2", env=limits) as server:
        slow = [server.connect() for _ in range(2)]  # of two threads
        for client in slow:
            client.send(request("/endless"))
        wire.wait_until(lambda: [reads_on(client) for client in slow] == [False, False])
        assert server.get("/").status == 200


def reads_on(client: Peer) -> bool:
    try:
        client.exactly(65536)
    except ConnectionError:
        return False
    return True


def test_who_reads_slowly_but_steadily_is_given_all_of_a_stream() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:hasty()", "ServiceWorker", env={"WIRE": '{"TAKING_S": 0.5}'}) as server:
        client = server.connect()
        client.send(request("/long", "Connection: close"))
        for _ in range(wire.BIG // (1 << 20)):
            client.exactly(1 << 20)
            time.sleep(0.1)  # which together is much longer than it waits for who reads more slowly still
        assert client.rest().endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ", request("/", "Content-Length: 65536", method="POST")]
)
def test_a_request_that_trickles_loses_its_thread_and_an_idle_connection_waits_on(hasty: Server, begun: bytes) -> None:
    idle, trickling = connected(hasty), hasty.connect()
    trickling.send(begun)
    wire.wait_until(lambda: closed_after_another_byte(trickling))
    idle.send(request("/", "Connection: close"))
    assert wire.parsed(idle.rest()).status == 200


def closed_after_another_byte(client: Peer) -> bool:
    try:
        client.send(b"a")
    except ConnectionError:
        return True
    return False


def test_clients_that_do_not_close_take_no_thread(service: Server) -> None:
    lasting = [service.connect() for _ in range(20)]  # whom two threads would wait for longer than we do
    for client in lasting:
        client.send(request("/", "Connection: close"))
    assert service.get("/").status == 200
    assert all(wire.parsed(client.rest()).status == 200 for client in lasting)


def test_a_client_that_goes_on_sending_reads_its_refusal_and_is_closed_in_the_end(service: Server) -> None:
    client = service.connect()
    client.send(b"nonsense\r\n\r\n" + b"a" * 1_000_000)
    assert is_refusal(wire.parsed(client.rest()), 400)
    wire.wait_until(lambda: closed_after_another_byte(client))


@pytest.mark.parametrize("path", ["/begun", "/exit"])
def test_an_application_that_breaks_off_costs_neither_thread_nor_descriptor(path: str) -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", "--threads", "2") as server:
        assert server.get("/").status == 200
        before = server.descriptors()
        broken = [server.connect() for _ in range(3)]
        for client in broken:
            client.send(request(path))
            assert client.ended()
            client.close()
        assert server.get("/").status == 200
        wire.wait_until(lambda: server.descriptors() <= before)


def test_a_service_without_descriptors_says_so_and_takes_up_who_waits_when_it_can(tmp_path: Path) -> None:
    log, limits = tmp_path / "log", {"WIRE": json.dumps({"spare": 10})}
    options = ["--threads", "2", "--log-file", str(log)]
    with wire.gunicorn("shopkit.tests.wire_apps:hasty()", "ServiceWorker", *options, env=limits) as server:
        kept = connected(server)
        crowd = [server.connect() for _ in range(30)]
        wire.wait_until(lambda: len(seconds_without(log)) >= 1)
        before = server.seconds_of_work()
        wire.wait_until(lambda: len(seconds_without(log)) >= 3)
        assert server.seconds_of_work() - before < 0.5  # a loop would take all there is
        kept.send(request("/"))
        assert b"200 OK" in kept.head()
        for client in crowd:
            client.close()
        assert server.get("/").status == 200


def seconds_without(log: Path) -> set[str]:
    """In which it was said that there are no descriptors."""
    lines = log.read_text().splitlines()
    return {line[: len("[2000-01-01 00:00:00")] for line in lines if "Too many open files" in line}


def test_an_http_1_0_client_is_never_left_waiting_for_the_end(gateway: Gateway) -> None:
    client = gateway[0].connect()
    client.send(b"GET /here HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert b'"path": "/here"' in client.rest()
    client.close()


def test_a_stopping_service_finishes_its_requests_and_does_not_wait_for_idle_clients() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", "--threads", "2") as server:
        idle, busy = server.connect(), server.connect()
        idle.send(request("/"))
        idle.head()
        busy.send(request("/", "Content-Length: 6", "Expect: 100-continue", method="POST") + b"abc")
        assert b"100 Continue" in busy.head()  # so the service has it
        server.process.send_signal(signal.SIGTERM)
        assert idle.ended()
        busy.send(b"def")
        assert wire.parsed(busy.rest()).body == b"abcdef"
        assert server.process.wait(wire.PATIENCE) == 0


def test_a_stopping_service_answers_what_has_come_while_its_threads_were_busy() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", "--threads", "2") as server:
        waiting, idle = connected(server), connected(server)
        busy = [asking(server) for _ in range(2)]
        waiting.send(request("/"))
        server.process.send_signal(signal.SIGTERM)
        assert idle.ended()
        for client in busy:
            client.send(b"def")
        assert wire.parsed(waiting.rest()).status == 200
        assert [wire.parsed(client.rest()).body for client in busy] == [b"abcdef"] * 2
        assert server.process.wait(wire.PATIENCE) == 0


def test_the_keep_alive_time_does_not_run_out_on_who_waits_for_a_thread() -> None:
    options = ["--threads", "2", "--keep-alive", "1"]
    with wire.gunicorn("shopkit.tests.wire_apps:service", "ServiceWorker", *options) as server:
        waiting, idle = connected(server), connected(server)
        busy = [asking(server) for _ in range(2)]
        waiting.send(request("/", "Connection: close"))
        assert idle.ended()
        for client in busy:
            client.send(b"def")
        assert wire.parsed(waiting.rest()).status == 200


def connected(server: Server) -> Peer:
    """A client whose connection has carried a request, and is kept."""
    client = server.connect()
    client.send(request("/"))
    client.head()
    return client


def asking(server: Server) -> Peer:
    """A client who has a thread, which waits for the rest of the body."""
    client = server.connect()
    client.send(request("/", "Content-Length: 6", "Expect: 100-continue", method="POST") + b"abc")
    assert b"100 Continue" in client.head()
    return client


def test_a_stopping_proxy_finishes_its_requests_and_does_not_wait_for_idle_clients() -> None:
    with wire.proxy(limits={}) as (server, upstreams):
        upstream = next(upstreams)
        idle, silent, busy = server.connect(), server.connect(), server.connect()
        idle.send(request("/here"))
        idle.head()
        busy.send(request(upstream.path()))
        peer = upstream.accept()
        peer.head()
        server.process.send_signal(signal.SIGTERM)
        assert idle.ended()
        assert silent.ended()
        peer.send(OK)
        answer = wire.parsed(busy.rest())
        assert (answer.status, answer.body, answer.all("connection")) == (200, b"ok", ["close"])
        assert peer.ended()
        assert server.process.wait(wire.PATIENCE) == 0
