"""What a call to a peer is on the wire, and what it makes of what comes back."""

import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import pytest
import structlog

from conftest import free_port
from shopkit import http, topology
from shopkit.errors import BadGateway, GatewayTimeout, ShopError, Unavailable
from shopkit.tests.wire import Peer, Upstream, headers_of

BOOKS = topology.service("book_service")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


DRIP, DRIPS = 0.02, 100  # seconds between two of so many bytes


class Calling:
    """Calls from a thread of its own to a peer that the test plays."""

    def __init__(self, pool: ThreadPoolExecutor, peer: Upstream) -> None:
        self._pool, self.peer = pool, peer

    def __call__(self, method: str, path: str = "/x/", **more: Any) -> "Future[Any]":
        return self.run(lambda: http.call(method, BOOKS.name, path, **more))

    def run(self, ask: Callable[[], Any]) -> "Future[Any]":
        return self._pool.submit(ask)

    def answered(self, answer: bytes, method: str = "GET") -> Any:
        """What a call comes to that is answered so, the connection then being closed."""
        call, peer = self(method), self.peer.accept()
        peer.head()
        peer.send(answer)
        peer.close()
        return call.result()


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calling]:
    peer = Upstream(0)
    monkeypatch.setenv(f"{BOOKS.name.upper()}_URL", f"http://{peer.authority}")
    try:
        with ThreadPoolExecutor(1) as pool:
            yield Calling(pool, peer)
    finally:
        peer.close()


def again(peer: Peer, call: "Future[Any]") -> bytes:
    """Answers the next request on the connection; its head."""
    head = peer.head()
    peer.send(OK)
    assert call.result() == {}
    return head


def drip(peer: Peer, call: "Future[Any]", piece: bytes) -> None:
    """Sends it again and again, until nobody waits for it any more."""
    for _ in range(DRIPS):
        with suppress(ConnectionError):
            peer.send(piece)
        if wait([call], DRIP).done:
            return


def test_what_is_asked_is_one_whole_request(calling: Calling) -> None:
    call = calling("POST", "/a b/é/", params={"after": "1&2", "limit": 5}, json={"é": [1]}, client="192.0.2.1")
    peer = calling.peer.accept()
    line, _, rest = peer.head().partition(b"\r\n")
    headers = headers_of(b"\r\n" + rest)
    assert line == b"POST /a%20b/%C3%A9/?after=1%262&limit=5 HTTP/1.1"
    assert json.loads(peer.exactly(int(headers["content-length"]))) == {"é": [1]}
    assert (headers["host"], headers["x-forwarded-for"]) == (calling.peer.authority, "192.0.2.1")
    assert (headers["content-type"], headers["accept"]) == ("application/json", "application/json")
    assert headers["authorization"].startswith("Bearer ")
    assert "transfer-encoding" not in headers
    peer.send(OK)
    assert call.result() == {}


def test_a_call_carries_the_id_of_the_request_it_is_made_for(calling: Calling) -> None:
    def ask() -> Any:
        with structlog.contextvars.bound_contextvars(request_id="0f8e7d6c5b4a"):
            return http.get(BOOKS.name, "/x/")

    call = calling.run(ask)
    assert headers_of(again(calling.peer.accept(), call))["x-request-id"] == "0f8e7d6c5b4a"


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0"), ("DELETE", None)])
def test_who_says_nothing_sends_no_body(calling: Calling, method: str, length: str | None) -> None:
    call = calling(method)
    headers = headers_of(again(calling.peer.accept(), call))
    assert headers.get("content-length", length) == length
    assert not {"content-type", "transfer-encoding", "cookie"} & set(headers)


def test_calls_share_a_connection_and_no_cookie(calling: Calling) -> None:
    call, peer = calling("GET"), calling.peer.accept()
    peer.head()
    peer.send(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=1; Path=/\r\n\r\n"))
    call.result()
    assert "cookie" not in headers_of(again(peer, calling("GET")))


def test_no_redirect_is_followed(calling: Calling) -> None:
    elsewhere = Upstream(1)
    to = f"Location: http://{elsewhere.authority}/\r\n".encode()
    with pytest.raises(BadGateway):
        calling.answered(b"HTTP/1.1 302 Found\r\n" + to + b"Content-Length: 2\r\n\r\n{}")
    assert not elsewhere.calls()
    assert not calling.peer.calls()
    elsewhere.close()


def test_no_proxy_and_no_password_of_the_environment_is_used(
    calling: Calling, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    proxy = Upstream(1)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{proxy.authority}")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    call = calling("GET")
    assert headers_of(again(calling.peer.accept(), call))["authorization"].startswith("Bearer ")
    assert not proxy.calls()
    proxy.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_idempotent_is_asked_once_more_when_the_connection_breaks(calling: Calling, method: str) -> None:
    call, first = calling(method), calling.peer.accept()
    first.head()
    first.reset()
    again(calling.peer.accept(), call)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_and_only_once(calling: Calling, method: str) -> None:
    call = calling(method)
    for _ in range(2):
        peer = calling.peer.accept()
        peer.head()
        peer.reset()
    with pytest.raises(Unavailable):
        call.result()
    assert not calling.peer.calls()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_anything_else_is_not_asked_again(calling: Calling, method: str) -> None:
    call, peer = calling(method), calling.peer.accept()
    peer.head()
    peer.reset()
    with pytest.raises(Unavailable):
        call.result()
    assert not calling.peer.calls()


def test_who_waited_in_vain_does_not_wait_again(calling: Calling) -> None:
    call = calling("GET", read_seconds=0.1)
    calling.peer.accept().head()
    with pytest.raises(GatewayTimeout):
        call.result()
    assert not calling.peer.calls()


HEAD = b"HTTP/1.1 200 OK\r\n"
WHOLE = b"Content-Length: %d\r\n\r\n" % DRIPS
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "piece", "end"),
    [
        (b"HTTP/1.1 200 ", b"O", b"\r\n\r\n"),
        (HEAD + b"X: ", b"x", b"\r\nContent-Length: 2\r\n\r\n{}"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", OK),
        (HEAD + WHOLE, b"1", b""),
        (HEAD + CHUNKS, b"1\r\n1\r\n", b"0\r\n\r\n"),
        (HEAD + CHUNKS, b"0", b"\r\n\r\n"),
        (HEAD + b"\r\n", b"1", b""),
    ],
    ids=["first line", "header", "interim answers", "body", "chunks", "size of a chunk", "body without an end"],
)
def test_an_answer_that_drips_in_is_waited_for_no_longer_than_one_that_does_not_come(
    calling: Calling, begin: bytes, piece: bytes, end: bytes
) -> None:
    call, peer = calling("GET", read_seconds=10 * DRIP), calling.peer.accept()
    peer.head()
    peer.send(begin)
    drip(peer, call, piece)
    with suppress(ConnectionError):
        peer.send(end)
    peer.close()
    with pytest.raises(GatewayTimeout, match="book_service did not answer in time"):
        call.result()
    assert not calling.peer.calls()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_beyond_measure_is_not_read_to_its_end(
    calling: Calling, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1000)
    body = json.dumps("x" * 999).encode()
    sent = gzip.compress(body) if packed else body
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n" % (b"gzip" if packed else b"identity")
    with pytest.raises(BadGateway, match="book_service answered with more than 1000 bytes"):
        calling.answered(head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent)
    call = calling("GET")
    again(calling.peer.accept(), call)


def test_one_that_just_fits_is(calling: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1000)
    body = json.dumps("x" * 998).encode()
    assert calling.answered(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) == "x" * 998


def test_a_packed_answer_is_unpacked(calling: Calling) -> None:
    packed = gzip.compress(b'{"packed": true}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert calling.answered(head + packed) == {"packed": True}


def test_nothing_is_answered_with_nothing(calling: Calling) -> None:
    assert calling.answered(b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE") is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", BadGateway),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", BadGateway),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", BadGateway),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", BadGateway),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", BadGateway),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BadGateway),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops", BadGateway),
        (b"nonsense\r\n\r\n", Unavailable),
    ],
)
def test_an_odd_answer_is_an_error_of_ours(calling: Calling, answer: bytes, error: type[ShopError]) -> None:
    with pytest.raises(error, match="book_service"):
        calling.answered(answer, "POST")


@pytest.mark.parametrize("apart", [False, True])
def test_what_nobody_asked_for_is_no_answer_to_what_is_asked_next(calling: Calling, apart: bool) -> None:
    call, peer = calling("POST"), calling.peer.accept()
    peer.head()
    peer.send(OK if apart else OK + OK.replace(b"{}", b"[]"))
    with suppress(BadGateway):
        assert call.result() == {}
    with suppress(ConnectionError):  # it may have been closed already
        peer.send(OK.replace(b"{}", b"[]"))
    another = calling("GET")
    again(calling.peer.accept(), another)


def test_a_connection_that_its_peer_closes_is_not_used_again(calling: Calling) -> None:
    call, peer = calling("GET"), calling.peer.accept()
    peer.head()
    peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    call.result()
    another = calling("POST")
    again(calling.peer.accept(), another)


def test_a_header_is_one_line(calling: Calling) -> None:
    with pytest.raises(ValueError, match="header"):
        calling("GET", client="192.0.2.1\r\nX-Staff: yes").result()
    assert not calling.peer.calls()


def test_nobody_there_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{BOOKS.name.upper()}_URL", f"http://127.0.0.1:{free_port()}")
    for method in ("GET", "POST"):
        with pytest.raises(Unavailable):
            http.call(method, BOOKS.name, "/x/")


LATER = b'{"error": "Later.", "code": "later", "details": {}, "request_id": "a"}'


def test_a_peer_that_says_when_to_come_back_is_not_waited_for(calling: Calling) -> None:
    with pytest.raises(Unavailable) as refused:
        calling.answered(b"HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: %d\r\n\r\n%b" % (len(LATER), LATER))
    assert refused.value.code == "unavailable"
    assert not calling.peer.calls()
