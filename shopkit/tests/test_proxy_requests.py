"""What of a request reaches the upstream, and what is refused before it gets there."""

import json
from collections.abc import Iterator

import pytest

from shopkit.tests import wire
from shopkit.tests.wire import OK, Peer, Server, Upstream, headers_of, is_refusal, request

Gateway = tuple[Server, Iterator[Upstream]]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with wire.proxy(drop_headers=["X-User-ID"]) as running:
        yield running


@pytest.fixture
def server(gateway: Gateway) -> Server:
    return gateway[0]


@pytest.fixture
def upstream(gateway: Gateway) -> Upstream:
    return next(gateway[1])


def forwarded(server: Server, upstream: Upstream, *headers: str, query: str = "") -> tuple[bytes, wire.Response]:
    """The head that reached the upstream for a GET with those headers, and the client's answer."""
    waiting = server.start_get(upstream.path("/x/" + query), *headers)
    peer = upstream.accept()
    head = peer.head()
    peer.send(OK)
    return head, waiting.answer()


def test_method_path_and_query_arrive_as_they_were_sent(server: Server, upstream: Upstream) -> None:
    head, answer = forwarded(server, upstream, query="?b=2&a=1&a=%20x")
    assert head.startswith(f"GET /{upstream.name}/x/?b=2&a=1&a=%20x HTTP/1.1\r\n".encode())
    assert (answer.status, answer.body) == (200, b"ok")


def test_the_upstream_is_addressed_by_its_own_name_and_told_the_one_the_client_used(
    server: Server, upstream: Upstream
) -> None:
    sent = headers_of(forwarded(server, upstream)[0])
    assert sent["host"] == upstream.authority
    assert sent["x-forwarded-host"] == "shop.test"
    assert sent["x-forwarded-proto"] == "http"
    assert sent["x-forwarded-for"] == "127.0.0.1"


def test_forwarding_headers_from_outside_are_written_anew(server: Server, upstream: Upstream) -> None:
    forged = ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1"]
    sent = headers_of(forwarded(server, upstream, *forged, "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6")[0])
    assert sent["x-forwarded-for"] == "127.0.0.1"
    assert sent["x-forwarded-host"] == "shop.test"
    assert sent["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-port", "forwarded", "x-real-ip"} & set(sent)


def test_hop_by_hop_headers_and_those_that_connection_names_stay_behind(server: Server, upstream: Upstream) -> None:
    hop = [
        "TE: trailers",
        "Keep-Alive: 5",
        "Proxy-Authorization: x",
        "Proxy-Connection: x",
        "Upgrade: h2c",
        "X-Mine: 1",
    ]
    head, _ = forwarded(server, upstream, *hop, "Connection: X-Mine, keep-alive", "X-Other: 2", "Trailer: x")
    sent = headers_of(head)
    assert sent["x-other"] == "2"
    assert {"host", "x-other"} < set(sent)
    assert not {"te", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade", "trailer"} & set(sent)
    assert not {"x-mine", "connection"} & set(sent)


@pytest.mark.parametrize("name", ["X-User-ID", "x-user-id", "X_User_ID", "X.User.ID", "X-User_ID", "X_Forwarded_For"])
def test_a_dropped_name_is_dropped_in_each_of_its_spellings(server: Server, gateway: Gateway, name: str) -> None:
    head, _ = forwarded(server, next(gateway[1]), f"{name}: 7")
    assert b": 7\r\n" not in head


def test_naming_a_header_in_connection_does_not_lose_the_framing_or_ours(server: Server, upstream: Upstream) -> None:
    names = "Connection: close, content-length, x-forwarded-for, x-request-id, host"
    waiting = wire.Waiting(lambda: server.raw(request(upstream.path(), names, method="POST", body=b"12345")))
    peer = upstream.accept()
    sent = headers_of(peer.head())
    assert peer.exactly(5) == b"12345"
    assert (sent["content-length"], sent["x-forwarded-for"]) == ("5", "127.0.0.1")
    assert sent["x-request-id"]
    peer.send(OK)
    assert waiting.answer().status == 200


def test_a_sane_request_id_is_passed_on_and_returned_once(server: Server, upstream: Upstream) -> None:
    head, answer = forwarded(server, upstream, "X-Request-ID: abc-1")
    assert headers_of(head)["x-request-id"] == "abc-1"
    assert answer.all("x-request-id") == ["abc-1"]


@pytest.mark.parametrize("came", [["a b"], ["x" * 65], ["a", "b"], []])
def test_any_other_request_id_is_replaced(server: Server, gateway: Gateway, came: list[str]) -> None:
    head, answer = forwarded(server, next(gateway[1]), *(f"X-Request-ID: {value}" for value in came))
    made = headers_of(head)["x-request-id"]
    assert made not in came
    assert answer.all("x-request-id") == [made]


def test_versioned_paths_and_missing_slashes_become_the_one_path(server: Server) -> None:
    told = server.get("/api/v1/books/book_abc-1?x=1").json()
    assert told["path"] == "/api/books/book_abc-1/"


def test_the_local_application_gets_clean_headers_and_its_own_id_is_replaced(server: Server) -> None:
    answer = server.get("/here/%C3%A9", "X-User-ID: 7", "X-Request-ID: abc", "X-Forwarded-For: 6.6.6.6")
    told = answer.json()
    headers = dict(told["headers"])
    assert told["path"] == "/here/é"
    assert (headers["host"], headers["x-request-id"], headers["x-forwarded-for"]) == ("shop.test", "abc", "127.0.0.1")
    assert "x-user-id" not in headers
    assert answer.all("x-request-id") == ["abc"]
    assert not answer.all("server")


def test_the_local_application_gets_the_body_that_the_router_has_read(server: Server) -> None:
    body = json.dumps({"a": 1}).encode()
    assert server.get("/here/?json", method="POST", body=body).json()["body"] == body.decode()


@pytest.mark.parametrize(
    "path", ["/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5Cb", "/a\\b", "/%00", "/a%25b", "//a", "/a//b", "/%zz", "/%ff"]
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(server: Server, path: str) -> None:
    assert is_refusal(server.get(path), 400, "bad_path")


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "*", "x"])
def test_a_target_that_is_no_path_is_refused(server: Server, target: str) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    assert is_refusal(server.get(target, method=method), 400)


def test_a_long_path_is_414_and_a_control_character_in_the_query_400(server: Server) -> None:
    assert is_refusal(server.get("/" + "a" * 5000), 414, "uri_too_long")
    assert is_refusal(server.get("/x?a=%00"), 400, "bad_query")


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Content-Length: +3",
        "Content-Length: 0x3",
        "Content-Length: -1",
        "X-A: 1\r\n folded",
        "X-A: 1\rX-B: 2",
        "X-A: 1\nX-B: 2",
        "X-A: a\x00b",
        "X A: 1",
        "no colon",
        "Host: twice",
    ],
)
def test_ambiguous_framing_and_broken_headers_never_reach_an_upstream(
    server: Server, gateway: Gateway, headers: str
) -> None:
    upstream = next(gateway[1])
    raw = f"POST {upstream.path()} HTTP/1.1\r\nHost: a\r\n{headers}\r\nConnection: close\r\n\r\nabc".encode("latin-1")
    answer = server.raw(raw)
    assert answer.status in (400, 501)
    assert is_refusal(answer, answer.status)
    assert not upstream.calls()


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "a,b"])
def test_a_host_that_is_none_is_refused(server: Server, host: str) -> None:
    assert is_refusal(server.raw(request("/x", "Connection: close", host=host)), 400, "bad_host")


def test_an_upgrade_and_a_trace_are_refused(server: Server) -> None:
    upgrade = server.get("/x", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YWJj")
    assert is_refusal(upgrade, 400, "upgrade_refused")
    assert is_refusal(server.get("/x", method="TRACE"), 405)


def test_a_routers_refusal_is_the_answer_and_its_bug_a_500(server: Server) -> None:
    assert is_refusal(server.get("/x?conflict", "X-Request-ID: abc"), 409, "conflict")
    assert is_refusal(server.get("/x?bug", "X-Request-ID: abc"), 500, "internal_error")


def test_a_body_goes_on_once_it_is_whole_so_that_who_sends_slowly_keeps_no_service_waiting(
    server: Server, upstream: Upstream
) -> None:
    client = server.connect()
    client.send(f"POST {upstream.path()} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc".encode())
    peer = overtaken(server, upstream)
    client.send(b"def")
    assert headers_of(peer.head())["content-length"] == "6"
    assert peer.exactly(6) == b"abcdef"
    peer.send(OK)
    assert client.until(b"ok").startswith(b"HTTP/1.1 200")
    client.close()


def overtaken(server: Server, upstream: Upstream) -> Peer:
    """Who asks later, and has said all, comes first; the upstream's connection, which is kept."""
    later = server.start_get(upstream.path("/later/"))
    peer = upstream.accept()
    assert b"/later/ HTTP/1.1" in peer.head()
    peer.send(OK)
    assert later.answer().status == 200
    return peer


def test_a_chunked_body_goes_on_with_its_length_without_extensions_and_trailers(
    server: Server, upstream: Upstream
) -> None:
    client = server.connect()
    client.send(f"POST {upstream.path()} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    client.send(b"3;x=y\r\nabc\r\n2\r\nde\r\n")
    peer = overtaken(server, upstream)
    client.send(b"0\r\nX-User-ID: 7\r\n\r\n")
    sent = headers_of(peer.head())
    assert sent["content-length"] == "5"
    assert "transfer-encoding" not in sent
    assert peer.exactly(5) == b"abcde"
    peer.send(OK)
    assert client.until(b"ok").startswith(b"HTTP/1.1 200")
    client.close()


def test_a_client_that_waits_for_100_continue_gets_it_and_the_upstream_no_expect(
    server: Server, upstream: Upstream
) -> None:
    client = server.connect()
    client.send(request(upstream.path(), "Expect: 100-continue", "Content-Length: 3", method="POST"))
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abc")
    peer = upstream.accept()
    assert "expect" not in headers_of(peer.head())
    assert peer.exactly(3) == b"abc"
    peer.send(OK)
    assert client.until(b"ok").startswith(b"HTTP/1.1 200")
    client.close()


def test_a_body_read_by_the_router_is_forwarded_intact(server: Server, upstream: Upstream) -> None:
    body = b' {"a": [1, 2]} '
    waiting = server.start_get(upstream.path("/x/?json"), method="POST", body=body)
    peer = upstream.accept()
    assert headers_of(peer.head())["content-length"] == str(len(body))
    assert peer.exactly(len(body)) == body
    peer.send(OK)
    assert waiting.answer().status == 200


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 900, b""])
def test_a_body_that_is_no_json_is_refused_where_the_router_needs_json(server: Server, body: bytes) -> None:
    assert is_refusal(server.get("/x/?json", method="POST", body=body), 400, "malformed_json")


def test_json_over_its_limit_is_413_also_in_chunks(server: Server) -> None:
    assert is_refusal(server.get("/x/?json", method="POST", body=b" " * 1001), 413)
    chunked = b"POST /x/?json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b" " * 1001 + b"\r\n"
    assert is_refusal(server.raw(chunked), 413)


def test_a_body_announced_over_the_limit_is_413_and_reaches_nobody(server: Server, upstream: Upstream) -> None:
    answer = server.raw(request(upstream.path(), "Content-Length: 12000001", method="POST"))
    assert is_refusal(answer, 413, "too_large")
    assert not upstream.calls()


def test_a_chunked_body_over_the_limit_is_413_and_reaches_nobody(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(f"POST {upstream.path()} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(12_000_000 // 65536 + 1):
        client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert is_refusal(wire.parsed(client.rest()), 413, "too_large")
    assert not upstream.calls()
    client.close()


def test_a_client_that_stops_in_its_body_is_408_and_reaches_nobody(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path(), "Content-Length: 6", method="POST") + b"abc")
    assert is_refusal(wire.parsed(client.rest()), 408)
    assert not upstream.calls()
    client.close()


def test_requests_sent_ahead_are_answered_in_order(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path("/1/")) + request(upstream.path("/2/"), "Connection: close"))
    peer = upstream.accept()
    for number in (b"1", b"2"):
        assert b"/%b/ HTTP" % number in peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + number)
    first = client.until(b"\r\n\r\n1")
    assert first.startswith(b"HTTP/1.1 200")
    assert wire.parsed(client.rest()).body == b"2"
    client.close()


def test_behind_the_gateway_forwarding_headers_are_kept_and_the_chain_grows() -> None:
    with wire.proxy(trust_forwarded=True) as (server, upstreams):
        came = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: shop", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1"]
        sent = headers_of(forwarded(server, next(upstreams), *came)[0])
        assert sent["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
        assert (sent["x-forwarded-host"], sent["x-forwarded-proto"]) == ("shop", "https")
        assert "x-forwarded-port" not in sent
