"""Upstreams that are away, silent or gone stale: what the client is told, and when nobody is asked any more."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from shopkit.tests import wire
from shopkit.tests.wire import OK, Peer, Server, Upstream, is_refusal, request

Gateway = tuple[Server, Iterator[Upstream]]
BUSY = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with wire.proxy() as running:
        yield running


@pytest.fixture
def server(gateway: Gateway) -> Server:
    return gateway[0]


@pytest.fixture
def upstream(gateway: Gateway) -> Upstream:
    return next(gateway[1])


def used(server: Server, upstream: Upstream) -> Peer:
    """A connection of the upstream that has carried a request and is kept for another."""
    waiting = server.start_get(upstream.path())
    peer = upstream.accept()
    peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200
    return peer


def test_an_upstream_that_is_away_is_503_with_retry_after(server: Server, upstream: Upstream) -> None:
    upstream.close()
    answer = server.get(upstream.path(), "X-Request-ID: abc")
    assert is_refusal(answer, 503, "unavailable")
    assert answer.all("retry-after") == ["1"]
    assert answer.all("x-request-id") == ["abc"]


def test_an_upstream_that_is_silent_is_504_within_the_limit_and_cut_off(server: Server, upstream: Upstream) -> None:
    began = time.monotonic()
    waiting = server.start_get(upstream.path())
    peer = upstream.accept()
    assert is_refusal(waiting.answer(), 504, "gateway_timeout")
    assert time.monotonic() - began < 3
    assert peer.ended()


def test_an_upstream_that_takes_no_body_is_504(server: Server, upstream: Upstream) -> None:
    waiting = server.start_get(upstream.path(), method="POST", body=b"x" * 1_000_000)
    peer = upstream.accept()
    assert is_refusal(waiting.answer(), 504)
    peer.close()


def test_a_response_in_drips_ends_with_the_time_for_the_whole(server: Server, upstream: Upstream) -> None:
    client = server.connect()
    client.send(request(upstream.path()))
    peer = upstream.accept()
    peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    peer.sock.settimeout(0.2)
    with pytest.raises(ConnectionError):
        drip(peer)
    with pytest.raises(ConnectionResetError):
        client.rest()


def drip(peer: Peer) -> None:
    """Sends a byte each 0.2 s, until the other side has gone."""
    for _ in range(50):
        peer.send(b"x")
        try:
            assert not peer.sock.recv(1)
        except TimeoutError:
            continue
        raise ConnectionError


def test_a_kept_connection_is_used_again(server: Server, upstream: Upstream) -> None:
    peer = used(server, upstream)
    waiting = server.start_get(upstream.path("/again/"), method="POST", body=b"abc")
    assert b"/again/" in peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_request_on_a_connection_that_died_idle_is_sent_once_more(
    server: Server, gateway: Gateway, method: str
) -> None:
    upstream = next(gateway[1])
    stale = used(server, upstream)
    waiting = server.start_get(upstream.path("/again/"), method=method)
    stale.head()
    stale.close()
    fresh = upstream.accept()
    assert b"/again/" in fresh.head()
    fresh.send(OK)
    assert waiting.answer().status == 200


def test_it_is_sent_once_more_only(server: Server, upstream: Upstream) -> None:
    stale = used(server, upstream)
    waiting = server.start_get(upstream.path())
    stale.head()
    stale.close()
    fresh = upstream.accept()
    fresh.head()
    fresh.close()
    assert is_refusal(waiting.answer(), 502)
    assert not upstream.calls()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_changes_something_is_never_sent_twice(server: Server, gateway: Gateway, method: str) -> None:
    upstream = next(gateway[1])
    stale = used(server, upstream)
    waiting = server.start_get(upstream.path(), method=method)
    stale.head()
    stale.close()
    assert is_refusal(waiting.answer(), 502)
    assert not upstream.calls()


def test_a_response_that_had_begun_is_not_asked_for_again(server: Server, upstream: Upstream) -> None:
    stale = used(server, upstream)
    waiting = server.start_get(upstream.path())
    stale.head()
    stale.send(b"HTTP/1.1 2")
    stale.close()
    assert is_refusal(waiting.answer(), 502)
    assert not upstream.calls()


def test_a_connection_that_was_closed_meanwhile_is_not_used(server: Server, upstream: Upstream) -> None:
    used(server, upstream).close()
    # Another request's round trip: the proxy has heard of the end by then.
    assert server.get("/here").status == 200
    waiting = server.start_get(upstream.path(), method="POST", body=b"abc")
    fresh = upstream.accept()
    fresh.head()
    fresh.send(OK)
    assert waiting.answer().status == 200


def test_callers_over_the_limit_of_connections_wait_for_one_to_be_free(server: Server, upstream: Upstream) -> None:
    waiting = [server.start_get(upstream.path()) for _ in range(3)]
    first, second = upstream.accept(), upstream.accept()
    first.head()
    second.head()
    first.send(OK)
    first.head()
    assert not upstream.calls()
    first.send(OK)
    second.send(OK)
    assert [one.answer().status for one in waiting] == [200, 200, 200]


def test_callers_that_wait_too_long_for_a_connection_get_503(server: Server, upstream: Upstream) -> None:
    busy = [server.start_get(upstream.path()) for _ in range(2)]
    peers = [upstream.accept() for _ in range(2)]
    for peer in peers:
        peer.head()
    assert is_refusal(server.get(upstream.path()), 503)
    for peer in peers:
        peer.send(OK)
    assert [one.answer().status for one in busy] == [200, 200]


def test_after_five_failures_callers_are_refused_at_once_until_a_trial_succeeds(
    server: Server, upstream: Upstream
) -> None:
    for _ in range(5):
        waiting = server.start_get(upstream.path())
        peer = upstream.accept()
        peer.head()
        peer.send(b"garbage\r\n\r\n")
        assert is_refusal(waiting.answer(), 502)
    refused = server.get(upstream.path())
    assert is_refusal(refused, 503)
    assert refused.all("retry-after") == ["1"]
    assert not upstream.calls()
    peer, waiting = trial(server, upstream)
    assert is_refusal(server.get(upstream.path()), 503)
    peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200
    waiting = server.start_get(upstream.path())
    peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200


def trial(server: Server, upstream: Upstream) -> tuple[Peer, wire.Waiting]:
    """The first request that an upstream gets to see after it was left alone."""
    asked: list[wire.Waiting] = []

    def seen() -> bool:
        asked.append(server.start_get(upstream.path()))
        wire.wait_until(lambda: asked[-1].done() or upstream.calls())
        return upstream.calls()

    wire.wait_until(seen)
    return upstream.accept(), asked[-1]


def test_answers_that_say_500_open_no_breaker(server: Server, upstream: Upstream) -> None:
    waiting = server.start_get(upstream.path())
    peer = upstream.accept()
    for _ in range(7):
        peer.head()
        peer.send(BUSY)
        assert waiting.answer().status == 500
        waiting = server.start_get(upstream.path())
    peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200


def test_one_upstreams_failures_are_not_anothers(server: Server, gateway: Gateway) -> None:
    away, there = next(gateway[1]), next(gateway[1])
    away.close()
    assert [server.get(away.path()).status for _ in range(7)] == [503] * 7
    used(server, there)


def test_who_does_not_read_what_the_local_application_answers_is_cut_off(server: Server) -> None:
    client = server.connect()
    client.send(request("/local/?endless"))
    assert client.cut_off()
    client.close()


def test_who_does_not_read_a_refusal_behind_an_answer_is_cut_off(server: Server, upstream: Upstream) -> None:
    """The upstream's connection is one that is kept, so that its answers go straight on, whoever reads them."""
    waiting = server.start_get(upstream.path())
    peer = upstream.accept()
    peer.head()
    peer.send(OK)
    assert waiting.answer().status == 200
    client = server.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.sock.settimeout(1)
    with suppress(OSError):
        while True:
            client.send(request(upstream.path()) + request("/no//path"))
            peer.head()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + bytes(60000))
    assert client.cut_off()


def test_a_body_that_does_not_come_is_408_where_the_local_application_answers(server: Server) -> None:
    client = server.connect()
    client.send(request("/local/", "Content-Length: 5", method="POST"))
    assert is_refusal(wire.parsed(client.rest()), 408, "request_timeout")


def test_what_is_to_be_done_with_an_answer_is_done_before_it_goes_on(server: Server, upstream: Upstream) -> None:
    waiting = server.start_get(upstream.path("/x/?noted"), method="POST", body=b"abc")
    peer = upstream.accept()
    peer.head()
    peer.send(OK)
    assert waiting.answer().all("x-noted") == ["POST 200"]


@pytest.mark.parametrize("harm", ["away", "silent", "garbage"])
def test_where_there_is_a_spare_the_fallback_answers_for_an_upstream_that_fails(
    server: Server, upstream: Upstream, harm: str
) -> None:
    if harm == "away":
        upstream.close()
    waiting = server.start_get(upstream.path("/x/?spare"))
    if harm == "garbage":
        upstream.accept().send(b"garbage\r\n\r\n")
    answer = waiting.answer()
    assert answer.status == 200
    assert json.loads(answer.body)["path"] == upstream.path("/x/")
    assert server.get("/here").status == 200
