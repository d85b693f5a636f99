"""A WSGI application behind the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from shopkit.incoming import PIECE, Message
from shopkit.local_app import LocalApp, WsgiApp

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/ö/",
    "raw_path": b"/%C3%B6/",
}
SCOPE |= {"query_string": b"a=1", "server": ("127.0.0.1", 8000), "client": ("127.0.0.9", 1)}
HEADERS = [
    (b"content-type", b"text/plain"),
    (b"content-length", b"999"),
    (b"x-a", b"1"),
    (b"x-a", b"2"),
    (b"x_a", b"3"),
]


def app(seen: dict[str, Any]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("201 Created", [("X-Made", "yes")])
        return [b"one ", b"two"]

    return answer


def asked(
    seen: dict[str, Any], *messages: Message, method: str = "POST", answer: WsgiApp | None = None
) -> list[Message]:
    """What is sent to a client that says this."""
    said, sent = iter(messages), []

    async def receive() -> Message:
        return next(said)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(LocalApp(answer or app(seen))({**SCOPE, "method": method, "headers": HEADERS}, receive, send))
    return sent


def test_it_sees_the_request_and_its_answer_goes_out() -> None:
    seen: dict[str, Any] = {}
    first: Message = {"type": "http.request", "body": b"he", "more_body": True}
    start, body = asked(seen, first, {"type": "http.request", "body": b"llo"})
    assert (start["status"], start["headers"], body["body"]) == (201, [(b"x-made", b"yes")], b"one two")
    assert (seen["body"], seen["CONTENT_LENGTH"], seen["CONTENT_TYPE"]) == (b"hello", "5", "text/plain")
    assert (seen["PATH_INFO"].encode("latin-1").decode(), seen["RAW_URI"]) == ("/ö/", "/%C3%B6/?a=1")
    assert (seen["QUERY_STRING"], seen["REMOTE_ADDR"]) == ("a=1", "127.0.0.9")


def test_a_header_that_could_pass_for_another_is_dropped() -> None:
    seen: dict[str, Any] = {}
    asked(seen, {"type": "http.request"})
    assert seen["HTTP_X_A"] == "1,2"


def test_the_answer_to_head_has_no_body() -> None:
    start, body = asked({}, {"type": "http.request"}, method="HEAD")
    assert (start["status"], body["body"]) == (201, b"")


def test_who_leaves_before_the_end_of_their_body_is_not_served() -> None:
    seen: dict[str, Any] = {}
    first: Message = {"type": "http.request", "body": b"he", "more_body": True}
    assert asked(seen, first, {"type": "http.disconnect"}) == []
    assert not seen


def test_a_long_answer_goes_out_in_pieces_and_whole() -> None:
    def long(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * 2 * PIECE, b"y"]

    _start, *pieces = asked({}, {"type": "http.request"}, answer=long)
    assert b"".join(piece["body"] for piece in pieces) == b"x" * 2 * PIECE + b"y"
    assert [piece["more_body"] for piece in pieces] == [True, True, False]
