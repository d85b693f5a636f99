"""With DEBUG on: what forms are answered that can't be read, and that queries are not kept."""

from typing import Any

import pytest
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cart_service.models import Cart

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
FORM = "multipart/form-data; boundary=x"


@pytest.fixture(params=[True, False], ids=["debug", "no debug"], autouse=True)
def _debug(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DEBUG = request.param


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"username=a&password=b", "application/x-www-form-urlencoded", 403, "csrf_failed"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=", 400, "malformed"),
        (b"&".join(b"a=1" for _ in range(1001)), "application/x-www-form-urlencoded", 400, "malformed"),
        (b"--x\r\n" * 9, FORM, 403, "csrf_failed"),
    ],
)
def test_a_form_that_is_none_or_not_ours(data: bytes, content_type: str, status: int, code: str) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, HTTP_HOST="localhost")
    client.cookies["cart_service_csrf"] = "a" * 32
    response = client.post(LOGIN, data=data, content_type=content_type, HTTP_ACCEPT="text/html")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["X-Request-ID"] == response.json()["request_id"]


def test_queries_are_kept_for_who_asks_for_them_only() -> None:
    reset_queries()
    Cart.objects.count()
    assert not connection.queries
    with CaptureQueriesContext(connection) as asked:
        Cart.objects.count()
    assert len(asked) == 1
