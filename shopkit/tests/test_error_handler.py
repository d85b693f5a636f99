"""Whatever is raised, in the one error form."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from pymongo.errors import ServerSelectionTimeoutError
from rest_framework import exceptions

from shopkit import errors
from shopkit.error_handler import as_shop_error, handle


def known(exc: Exception) -> errors.ShopError:
    error = as_shop_error(exc)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        ("bad", {"non_field_errors": ["bad"]}),
        ({"name": ["blank", "short"]}, {"name": ["blank", "short"]}),
        ({"name": "blank"}, {"name": ["blank"]}),
        ({"address": {"country": ["unknown"]}}, {"address.country": ["unknown"]}),
        ({"lines": [{}, {"quantity": ["zero"]}]}, {"lines.1.quantity": ["zero"]}),
        ({"tags": {1: ["long"]}}, {"tags.1": ["long"]}),
        ([{"id": ["taken"]}, {}], {"0.id": ["taken"]}),
    ],
)
def test_nested_details_are_flattened(detail: Any, flat: dict[str, list[str]]) -> None:
    error = known(exceptions.ValidationError(detail))
    assert (error.status, error.code, error.details) == (400, "invalid", flat)
    field, messages = next(iter(flat.items()))
    assert error.message == f"{field}: {messages[0]}"


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (errors.Conflict(code="taken"), 409, "taken"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (IntegrityError(), 409, "conflict"),
        (DataError("value too long for type character varying(64)"), 400, "invalid"),
        (OperationalError(), 503, "store_down"),
        (ServerSelectionTimeoutError(), 503, "store_down"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
    ],
)
def test_each_has_its_status_and_code(exc: Exception, status: int, code: str) -> None:
    error = known(exc)
    assert (error.status, error.code) == (status, code)
    assert error.message


def test_who_is_not_known_is_told_how_to_say_who_they_are() -> None:
    exc = exceptions.NotAuthenticated()
    exc.auth_header = "Bearer"  # type: ignore[attr-defined]  # as Django REST framework's view sets it
    assert known(exc).headers == {"WWW-Authenticate": "Bearer"}


def test_a_permission_may_have_a_code_of_its_own() -> None:
    assert known(exceptions.PermissionDenied("No guests.", code="account_needed")).code == "account_needed"
    assert known(exceptions.PermissionDenied()).code == exceptions.PermissionDenied.default_code


def test_a_bucket_that_is_down_is_a_store_that_is() -> None:
    botocore = pytest.importorskip("botocore.exceptions")
    error = known(botocore.EndpointConnectionError(endpoint_url="https://store.example.com"))
    assert (error.status, error.code, error.headers["Retry-After"]) == (503, "store_down", "1")


def test_the_answer_carries_the_request_id() -> None:
    response = handle(errors.Conflict("Taken."), {"request": SimpleNamespace(request_id="abc")})
    assert response is not None
    assert (response.status_code, response.data["request_id"], response.data["error"]) == (409, "abc", "Taken.")


def test_what_is_not_known_is_left_to_the_middleware() -> None:
    assert as_shop_error(ZeroDivisionError()) is None
    assert handle(ZeroDivisionError(), {"request": None}) is None
