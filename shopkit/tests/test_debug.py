"""With DEBUG on, every answer keeps to the one error form: no page that shows settings, variables or code."""

from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import Client

from shopkit import metrics

BROWSER = {"HTTP_ACCEPT": "text/html", "HTTP_HOST": "localhost"}


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def is_refusal(response: HttpResponse, status: int, code: str) -> bool:
    body = response.json()  # type: ignore[attr-defined]
    assert (response.status_code, body["code"]) == (status, code)
    assert set(body) == {"error", "code", "details", "request_id"}
    assert response["X-Request-ID"] == body["request_id"]
    return response["Content-Type"] == "application/json"


def raising(exc: Exception) -> Any:
    def fail(*_args: object) -> None:
        secret = "sesame"  # noqa: F841  # Django's page would show it
        raise exc

    return fail


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_an_unknown_host(client: Client, accept: str) -> None:
    assert is_refusal(client.get("/health/live", HTTP_HOST="evil.test", HTTP_ACCEPT=accept), 400, "malformed")


@pytest.mark.parametrize("path", ["/nothing/", "/api/books/book_1/nothing/", "/static/nothing.css"])
def test_a_path_that_is_not_there(client: Client, path: str) -> None:
    assert is_refusal(client.get(path, **BROWSER), 404, "not_found")


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [(ValueError("sesame"), 500, "internal_error"), (SuspiciousOperation("sesame"), 400, "malformed")],
)
def test_what_a_view_raises(
    client: Client, monkeypatch: pytest.MonkeyPatch, exc: Exception, status: int, code: str
) -> None:
    monkeypatch.setattr(metrics, "generate_latest", raising(exc))
    response = client.get("/metrics", **BROWSER)
    assert is_refusal(response, status, code)
    assert b"sesame" not in response.content


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [(ValueError("sesame"), 500, "internal_error"), (SuspiciousOperation("sesame"), 400, "malformed")],
)
def test_what_a_middleware_raises(
    client: Client, monkeypatch: pytest.MonkeyPatch, exc: Exception, status: int, code: str
) -> None:
    monkeypatch.setattr(CommonMiddleware, "process_request", raising(exc))
    response = client.get("/health/live", **BROWSER)
    assert is_refusal(response, status, code)
    assert b"sesame" not in response.content
