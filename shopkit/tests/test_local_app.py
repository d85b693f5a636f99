"""A WSGI application behind the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from shopkit.hygiene import Arrival, Headers
from shopkit.incoming import NO_BODY, Request
from shopkit.local_app import LocalApp
from shopkit.tests.client import made_request

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


def asked(seen: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """What it answers to a request with a body."""
    came = made_request(headers=[], peer="127.0.0.9", method="POST", query=b"a=1")
    request = Request(came, "/ö/", Arrival(HEADERS, b"", 5, False, {}), NO_BODY, "abc", 0)
    return asyncio.run(LocalApp(app(seen))(request, HEADERS, b"hello"))


def test_it_sees_the_request_and_its_answer_goes_out() -> None:
    seen: dict[str, Any] = {}
    assert asked(seen) == (201, [(b"x-made", b"yes")], b"one two")
    assert (seen["body"], seen["CONTENT_LENGTH"], seen["CONTENT_TYPE"]) == (b"hello", "5", "text/plain")
    assert (seen["PATH_INFO"].encode("latin-1").decode(), seen["RAW_URI"]) == ("/ö/", "/%C3%B6/?a=1")
    assert (seen["QUERY_STRING"], seen["REMOTE_ADDR"]) == ("a=1", "127.0.0.9")


def test_a_header_that_could_pass_for_another_is_dropped() -> None:
    seen: dict[str, Any] = {}
    asked(seen)
    assert seen["HTTP_X_A"] == "1,2"
