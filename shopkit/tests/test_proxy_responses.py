"""How an upstream's response comes back: as a stream, whole or visibly broken, rid of what belongs to its hop."""

import time
from collections.abc import Iterator

import pytest

from shopkit.clock import TICK
from shopkit.tests import wire
from shopkit.tests.wire import OK, Peer, Response, Server, Upstream, is_refusal, request

Gateway = tuple[Server, Iterator[Upstream]]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with wire.proxy() as running:
        yield running


@pytest.fixture(scope="module")
def patient() -> Iterator[Gateway]:
    """For large bodies: what they take of a busy machine's time is not what is looked at."""
    with wire.proxy(limits={**wire.LIMITS, "idle_s": 30.0, "response_head_s": 30.0, "total_s": 60.0}) as running:
        yield running


@pytest.fixture
def server(gateway: Gateway) -> Server:
    return gateway[0]


@pytest.fixture
def upstream(gateway: Gateway) -> Upstream:
    return next(gateway[1])


def answered(server: Server, upstream: Upstream, *pieces: bytes, close: bool = False, method: str = "GET") -> Response:
    """The client's answer when the upstream sends those pieces."""
    waiting = server.start_get(upstream.path(), method=method)
    peer = upstream.accept()
    peer.head()
    for piece in pieces:
        peer.send(piece)
    if close:
        peer.close()
    return waiting.answer()


def cut_off(server: Server, upstream: Upstream, *pieces: bytes, version: str = "1.1") -> bool:
    """Whether the client's connection is reset when the upstream ends after those pieces."""
    client = server.connect()
    client.send(f"GET {upstream.path()} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    peer = upstream.accept()
    peer.head()
    for piece in pieces:
        peer.send(piece)
    client.head()
    peer.close()
    with pytest.raises(ConnectionResetError):
        client.rest()
    return True


def test_a_response_comes_back_with_its_status_headers_and_body(server: Server, upstream: Upstream) -> None:
    answer = answered(server, upstream, b"HTTP/1.1 418 Odd\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\n", b"abc")
    assert (answer.status, answer.all("x-a"), answer.body) == (418, ["1", "2"], b"abc")
    assert answer.all("content-length") == ["3"]


def test_what_a_router_tells_goes_with_every_answer_and_before_an_upstreams_own(
    server: Server, upstream: Upstream
) -> None:
    waiting = server.start_get(upstream.path("/x/?told"))
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nX-Told: there\r\nx-told: there too\r\nContent-Length: 0\r\n\r\n")
    answers = [waiting.answer(), server.get("/local?told"), server.get("/?told&conflict"), server.get("/?told&bug")]
    assert [answer.status for answer in answers] == [200, 200, 409, 500]
    assert [answer.all("x-told") for answer in answers] == [["here"]] * 4
    assert not server.get("/local").all("x-told")


def test_a_chunked_response_comes_back_whole_without_its_trailers(server: Server, upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = answered(server, upstream, head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\nSet-Cookie: a=b\r\nServer: x\r\n\r\n")
    assert answer.body == b"abcde"
    assert not answer.all("set-cookie")


def test_a_response_that_its_connection_ends_is_whole(server: Server, upstream: Upstream) -> None:
    answer = answered(server, upstream, b"HTTP/1.0 200 OK\r\n\r\n", b"abc", close=True)
    assert (answer.status, answer.body) == (200, b"abc")


def test_pieces_reach_the_client_before_the_response_is_complete(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path()))
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    assert client.until(b"1\r\na\r\n").startswith(b"HTTP/1.1 200")
    peer.send(b"1\r\nb\r\n0\r\n\r\n")
    assert client.until(b"0\r\n\r\n") == b"1\r\nb\r\n0\r\n\r\n"
    client.close()


@pytest.mark.parametrize(
    ("method", "raw", "length"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 83\r\n\r\n", ["83"]),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 83\r\nETag: x\r\n\r\n", ["83"]),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", []),
        ("DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", []),
    ],
)
def test_a_response_without_a_body_leaves_the_connection_usable(
    server: Server, gateway: Gateway, method: str, raw: bytes, length: list[str]
) -> None:
    upstream = next(gateway[1])
    waiting = server.start_get(upstream.path(), method=method)
    peer = upstream.accept()
    peer.head()
    peer.send(raw)
    answer = waiting.answer()
    assert (answer.body, answer.all("content-length")) == (b"", length)
    waiting = server.start_get(upstream.path())
    peer.head()
    peer.send(OK)
    assert waiting.answer().body == b"ok"


def test_interim_responses_are_not_taken_for_the_response(server: Server, upstream: Upstream) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    answer = answered(server, upstream, b"HTTP/1.1 100 Continue\r\n\r\n", early, OK)
    assert (answer.status, answer.body, answer.all("link")) == (200, b"ok", [])


def test_what_belongs_to_the_hop_or_names_the_server_stays_behind(server: Server, upstream: Upstream) -> None:
    hop = b"Connection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\n"
    named = b"Server: nginx\r\nX-Powered-By: x\r\nDate: never\r\nX-Request-ID: another\r\nX-Other: 2\r\n"
    answer = answered(server, upstream, b"HTTP/1.1 200 OK\r\n" + hop + named + b"Content-Length: 2\r\n\r\nok")
    names = sorted(name.lower() for name, _ in answer.headers)
    assert names == ["connection", "content-length", "date", "x-other", "x-request-id"]
    assert answer.all("date") != ["never"]
    assert answer.all("x-request-id") != ["another"]


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("/a/?b=1#c", "/a/?b=1#c"),
        ("a/b:c", "a/b:c"),
        ("http://{own}/a/?b=1", "/a/?b=1"),
        ("http://{own}", "/"),
        ("http://{own}?a", "/?a"),
        ("http://shop.test/a/", "/a/"),
        ("//{own}/a", "/a"),
    ],
)
def test_a_redirect_to_our_own_origin_becomes_a_path(
    server: Server, gateway: Gateway, location: str, seen: str
) -> None:
    upstream = next(gateway[1])
    sent = location.format(own=upstream.authority)
    raw = f"HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n".encode()
    assert answered(server, upstream, raw).all("location") == [seen]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/a",
        "https://evil.test/",
        "//evil.test/",
        "///evil.test/",
        "/\\evil.test/",
        "http:evil.test",
        "javascript:alert(1)",
        "http://{own}//evil.test",
        "http://{own}@evil.test/",
        "http://shop.test.evil.test/",
    ],
)
def test_a_redirect_to_anywhere_else_is_502(server: Server, upstream: Upstream, location: str) -> None:
    sent = location.format(own=upstream.authority)
    raw = f"HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n".encode()
    assert is_refusal(answered(server, upstream, raw), 502, "bad_gateway")


@pytest.mark.parametrize(
    "raw",
    [
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70000,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 9000,
        b"HTTP/2 200\r\n\r\n",
    ],
)
def test_a_response_that_is_none_is_502(server: Server, gateway: Gateway, raw: bytes) -> None:
    assert is_refusal(answered(server, next(gateway[1]), raw), 502, "bad_gateway")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_an_upstream_that_leaves_before_its_head_is_complete_is_502(
    server: Server, gateway: Gateway, head: bytes
) -> None:
    assert is_refusal(answered(server, next(gateway[1]), head, close=True), 502)


def test_a_response_that_breaks_off_is_never_ended_as_if_whole(server: Server, gateway: Gateway) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    assert cut_off(server, next(gateway[1]), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    assert cut_off(server, next(gateway[1]), chunked)
    assert cut_off(server, next(gateway[1]), chunked, version="1.0")
    assert cut_off(server, next(gateway[1]), chunked, b"not a size\r\n")


def test_a_response_without_framing_that_is_reset_is_not_taken_for_whole(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path()))
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
    client.until(b"abc")
    peer.reset()
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_an_upstream_that_falls_silent_in_its_body_cuts_the_client_off(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path()))
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    with pytest.raises(ConnectionResetError):
        client.rest()
    assert peer.ended()


@pytest.mark.parametrize("together", [True, False])
def test_a_second_response_to_one_request_is_never_anybodys_answer(
    server: Server, gateway: Gateway, together: bool
) -> None:
    upstream = next(gateway[1])
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    pieces = [OK + smuggled] if together else [OK, smuggled]
    assert answered(server, upstream, *pieces).body == b"ok"
    assert answered(server, upstream, OK).body == b"ok"


def test_an_answer_to_half_an_upload_reaches_the_client_and_ends_the_upstreams_connection(
    server: Server, upstream: Upstream
) -> None:
    upstream.take_little()
    waiting = server.start_get(upstream.path(), method="POST", body=b"x" * 12_000_000)
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    answer = waiting.answer()
    assert (answer.status, answer.body) == (403, b"no")
    assert peer.ended()


def test_a_client_that_leaves_takes_its_upstream_request_along(server: Server, gateway: Gateway) -> None:
    upload = "Content-Length: 3"
    for method, headers, response in [
        ("GET", [], b""),
        ("POST", [upload], b""),
        ("GET", [], b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
    ]:
        upstream = next(gateway[1])
        client = server.connect()
        client.send(request(upstream.path(), *headers, method=method) + (b"abc" if headers else b""))
        peer = upstream.accept()
        peer.head()
        peer.send(response)
        client.close()
        assert peer.ended()


def test_a_client_whose_answer_took_its_time_can_ask_again_on_its_connection(
    server: Server, upstream: Upstream
) -> None:
    client = server.connect()
    client.send(request(upstream.path()))
    peer = upstream.accept()
    peer.head()
    began = time.monotonic()
    wire.wait_until(lambda: time.monotonic() > began + 3 * TICK)
    peer.send(OK)
    client.until(b"ok")
    client.send(request(upstream.path()))
    peer.head()
    peer.send(OK)
    assert client.until(b"ok").startswith(b"HTTP/1.1 200")
    client.close()


def test_a_large_download_to_a_slow_client_is_not_held_in_memory(patient: Gateway) -> None:
    server, upstream, size = patient[0], next(patient[1]), 20_000_000
    client = server.connect()
    client.send(request(upstream.path(), "Connection: close"))
    peer = upstream.accept()
    peer.head()
    before = server.memory()
    peer.sock.settimeout(0.3)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    sent = send_what_is_taken(peer, size)
    assert sent < size
    assert server.memory() - before < 5_000_000
    peer.sock.settimeout(wire.PATIENCE)
    rest = wire.Waiting(lambda: (peer.send(b"x" * (size - sent)), wire.parsed(OK))[1])
    client.head()
    assert client.rest().count(b"x") == size
    assert rest.answer()
    assert server.memory() - before < 5_000_000


def send_what_is_taken(peer: Peer, size: int) -> int:
    """Sends until the other side takes no more for a while; the bytes it took."""
    sent = 0
    try:
        while sent < size:
            sent += peer.sock.send(b"x" * min(65536, size - sent))
    except TimeoutError:
        pass
    return sent


def test_a_large_upload_to_a_slow_upstream_is_not_held_in_memory(patient: Gateway) -> None:
    server, upstream, size = patient[0], next(patient[1]), 12_000_000
    before = server.memory()
    waiting = server.start_get(upstream.path(), method="POST", body=b"x" * size)
    peer = upstream.accept()
    peer.head()
    assert peer.exactly(size).count(b"x") == size
    peer.send(OK)
    assert waiting.answer().status == 200
    assert server.memory() - before < 5_000_000
