"""Requests as bytes, for what a well-behaved client library would tidy up or refuse to send."""

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

PATIENCE = 20.0  # seconds


@dataclass
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(port: int, data: bytes, *, host: str = "127.0.0.1") -> Answer:
    """The answer to these bytes, whether or not the server took them all before it answered."""
    with socket.create_connection((host, port), timeout=PATIENCE) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(data)
        response = http.client.HTTPResponse(client)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def request(
    port: int,
    method: str,
    target: str | bytes,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    length: int | None = None,
) -> Answer:
    """One request, written out as it stands; `length` when the body is to be announced as another size than it has."""
    target = target if isinstance(target, bytes) else target.encode()
    size = len(body) if length is None else length
    lines = {"Host": f"localhost:{port}", "Connection": "close", **(headers or {})}
    if size:
        lines["Content-Length"] = str(size)
    head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in lines.items())
    return send(port, method.encode() + b" " + target + b" HTTP/1.1\r\n" + head + b"\r\n" + body)


def assert_refused(answer: Answer, *statuses: int) -> None:
    """A 4xx (one of `statuses`, if any are given) in the one error form, which tells nothing of what is inside."""
    assert 400 <= answer.status < 500, (answer.status, answer.body[:500])
    assert not statuses or answer.status in statuses, (answer.status, answer.body[:500])
    assert_error_form(answer)


def assert_error_form(answer: Answer) -> None:
    assert answer.headers["content-type"].startswith("application/json"), answer.headers
    body = answer.json()
    assert set(body) == {"error", "code", "details", "request_id"}
    assert body["error"]
    assert body["code"]
    assert all(isinstance(messages, list) for messages in body["details"].values())
    assert body["request_id"] == answer.headers["x-request-id"]
    assert b"Traceback" not in answer.body
    assert b'File "' not in answer.body
    assert "gunicorn" not in answer.headers.get("server", "").lower()
