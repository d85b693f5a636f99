"""A client's connection to a proxy: which requests it makes of bytes, in which order they are answered, how it ends."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from shopkit import request_parser
from shopkit.client_connection import ClientConnection
from shopkit.tests import wire, wire_apps
from shopkit.tests.wire import Server, is_refusal, request

UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wire.gunicorn("shopkit.tests.wire_apps:plain", "ProxyWorker") as running:
        yield running


def bodies(raw: bytes) -> list[bytes]:
    """Of answers in chunks, one after the other."""
    return [wire.parsed(b"HTTP/1.1" + answer).body for answer in raw.split(b"HTTP/1.1")[1:]]


def test_requests_that_come_together_each_get_their_answer_in_their_order(server: Server) -> None:
    client = server.connect()
    numbers = [str(number).encode() for number in range(50)]
    last = request("/", "Connection: close", method="POST", body=b"last")
    client.send(b"".join(request("/", method="POST", body=number) for number in numbers) + last)
    assert bodies(client.rest()) == [*numbers, b"last"]


def test_requests_that_come_byte_by_byte_are_whole(server: Server) -> None:
    client = server.connect()
    for byte in request("/", "Connection: close", method="POST", body=b"slowly"):
        client.send(bytes([byte]))
    assert bodies(client.rest()) == [b"slowly"]


def test_what_is_no_request_is_refused_after_the_answers_to_what_came_before(server: Server) -> None:
    client = server.connect()
    client.send(request("/", method="POST", body=b"first") + b"nonsense\r\n\r\n" + request("/"))
    first, refused = client.rest().split(b"HTTP/1.1")[1:]
    assert wire.parsed(b"HTTP/1.1" + first).body == b"first"
    assert is_refusal(wire.parsed(b"HTTP/1.1" + refused), 400, "malformed_request")


def test_a_body_that_breaks_before_its_turn_is_refused_after_the_answers_to_what_came_before(server: Server) -> None:
    client = server.connect()
    broken = request("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\nzz\r\n"
    client.send(request("/", method="POST", body=b"first") + broken)
    first, refused = client.rest().split(b"HTTP/1.1")[1:]
    assert wire.parsed(b"HTTP/1.1" + first).body == b"first"
    assert is_refusal(wire.parsed(b"HTTP/1.1" + refused), 400)


def test_a_method_that_nobody_knows_is_405_and_one_in_small_letters_none(server: Server) -> None:
    assert is_refusal(server.get("/", method="BREW"), 405, "method_not_allowed")
    assert is_refusal(server.get("/", method="brew"), 400, "malformed_request")


def test_a_large_body_behind_another_request_comes_whole(server: Server) -> None:
    client = server.connect()
    large = b"x" * 3_000_000
    client.send(request("/", method="POST", body=b"first"))
    client.send(request("/", "Connection: close", method="POST", body=large))
    assert bodies(client.rest()) == [b"first", large]


def test_an_upgrade_is_not_made_and_the_next_request_is_taken(server: Server) -> None:
    client = server.connect()
    client.send(request("/first", *UPGRADE) + request("/", "Connection: close", method="POST", body=b"next"))
    assert bodies(client.rest()) == [b"", b"next"]


def test_an_upgrade_with_a_body_is_refused_since_nobody_could_say_whose_it_is(server: Server) -> None:
    client = server.connect()
    client.send(request("/", *UPGRADE, method="POST", body=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    raw = client.rest()
    assert raw.count(b"HTTP/1.1 ") == 1
    assert is_refusal(wire.parsed(raw), 400)


@pytest.mark.parametrize("raw", [b"\r\n" * 30_000, b"GET / HTTP/1.1" + (b"\r\nX-A: " + b"a" * 8000) * 5])
def test_a_head_that_does_not_end_is_refused_once_it_is_too_long(server: Server, raw: bytes) -> None:
    client = server.connect()
    client.send(raw)
    assert is_refusal(wire.parsed(client.rest()), 431)


def test_a_head_that_comes_bit_by_bit_gets_no_more_than_the_keep_alive_time() -> None:
    with wire.gunicorn("shopkit.tests.wire_apps:plain", "ProxyWorker", "--keep-alive", "1") as quick:
        client = quick.connect()
        client.send(b"GET / HTTP/1.1\r\nX-A: ")
        client.sock.settimeout(0.2)
        sent = 0
        while still_open(client) and sent < 100:
            with suppress(OSError):
                client.send(b"a")
            sent += 1
        assert sent < 100


def still_open(client: wire.Peer) -> bool:
    try:
        return bool(client.sock.recv(1))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


@pytest.mark.parametrize("fields", [["X-Long: " + "a" * 60_000], [f"X-{number}: {'a' * 4000}" for number in range(10)]])
def test_headers_that_are_too_long_are_refused_behind_another_request_too(server: Server, fields: list[str]) -> None:
    client = server.connect()
    client.send(request("/") + request("/", *fields, "Connection: close"))
    first, refused = client.rest().split(b"HTTP/1.1")[1:]
    assert wire.parsed(b"HTTP/1.1" + first).status == 200
    assert is_refusal(wire.parsed(b"HTTP/1.1" + refused), 431)


def test_a_head_that_began_behind_another_request_is_no_longer_for_that(server: Server) -> None:
    client = server.connect()
    client.send(request("/", "X-A: " + "a" * 5000) + b"GET / HTTP/1.1\r\nHost: shop.test\r\nX-Long: " + b"a" * 5000)
    client.until(b"\r\n\r\n0\r\n\r\n")
    client.send(b"a" * 5000 + b"\r\n\r\n")
    assert is_refusal(wire.parsed(client.rest()), 431)


def test_a_connection_that_is_taken_up_while_the_worker_stops_is_closed() -> None:
    class Stopping:
        alive = False
        application = staticmethod(wire_apps.plain)

        def __init__(self) -> None:
            self.loop = asyncio.get_running_loop()

        def came(self, connection: ClientConnection) -> None: ...

        def left(self, connection: ClientConnection) -> None: ...

    async def read() -> bytes:
        server = await asyncio.get_running_loop().create_server(lambda: ClientConnection(Stopping()), "127.0.0.1", 0)
        reader, _writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        return await asyncio.wait_for(reader.read(), wire.PATIENCE)

    assert asyncio.run(read()) == b""


def test_as_many_and_as_long_headers_as_may_be_are_taken(server: Server) -> None:
    fields = [f"X-{number}: a" for number in range(request_parser.MAX_FIELDS - 3)]
    long = "X-Long: " + "a" * (request_parser.MAX_LINE - len("X-Long"))
    assert server.get("/", long, *fields).status == 200
    assert server.get("/", long + "a").status == 431
    assert server.get("/", long, *fields, "X-More: a").status == 431


def test_trailers_are_no_headers_of_the_next_request(server: Server) -> None:
    client = server.connect()
    chunked = request("/", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\nHost: b\r\n\r\n"
    client.send(chunked + request("/", "Connection: close", method="POST", body=b"next"))
    assert bodies(client.rest()) == [b"abc", b"next"]


def test_an_application_that_says_nothing_or_splits_its_answer_is_a_500(server: Server) -> None:
    assert is_refusal(server.get("/silent"), 500, "internal_error")
    answer = server.get("/split")
    assert is_refusal(answer, 500, "internal_error")
    assert not answer.all("x-b")


def test_what_goes_past_an_answers_length_is_never_the_next_answer(server: Server) -> None:
    client = server.connect()
    client.send(request("/over") + request("/", "Connection: close", method="POST", body=b"next"))
    assert client.until(b"\r\n\r\nok")
    assert bodies(client.rest()) == [b"next"]


def test_an_answer_that_is_shorter_than_it_says_cuts_the_connection(server: Server) -> None:
    client = server.connect()
    client.send(request("/under"))
    client.until(b"\r\n\r\nok")
    with pytest.raises(ConnectionResetError):
        client.rest()
