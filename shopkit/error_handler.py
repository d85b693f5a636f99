"""Turns whatever Django or Django REST framework raises into the one error form."""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter
from django.views.decorators.csrf import csrf_exempt
from pymongo.errors import ConnectionFailure
from rest_framework import exceptions
from rest_framework.response import Response

from shopkit.errors import Conflict, Details, Invalid, ShopError, TooLarge, Unavailable, error_body
from shopkit.errors import NotFound as NothingHere

_MALFORMED = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
_STORE_IS_DOWN = (OperationalError, InterfaceError, ConnectionFailure)


def respond(error: ShopError, request_id: str) -> JsonResponse:
    """The error as a plain Django response."""
    return JsonResponse(error_body(error, request_id), status=error.status, headers=error.headers)


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's `EXCEPTION_HANDLER`; what it doesn't know stays an exception, for the middleware."""
    error = as_shop_error(exc)
    if error is None:
        return None
    request_id = getattr(context["request"], "request_id", "")
    return Response(error_body(error, request_id), status=error.status, headers=error.headers)


def as_shop_error(exc: Exception) -> ShopError | None:
    if isinstance(exc, ShopError):
        return exc
    if isinstance(exc, Http404):
        return NothingHere()
    if isinstance(exc, RequestDataTooBig):
        return TooLarge()
    if isinstance(exc, _MALFORMED):  # a bad host, too many fields, a broken form and the like
        return Invalid("The request is malformed.", code="malformed")
    if isinstance(exc, _STORE_IS_DOWN) or _of_bucket(exc):
        return Unavailable(
            "The store is not available; try again soon.", code="store_down", headers={"Retry-After": "1"}
        )
    if isinstance(exc, DataError):  # too long or out of range for its column, which SQLite does not mind
        return Invalid("A value is too long, or out of range.")
    if isinstance(exc, IntegrityError):
        return Conflict()
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    return _from_rest(exc) if isinstance(exc, exceptions.APIException) else None


def _of_bucket(exc: Exception) -> bool:
    """Whether it is from the store of files, whose package is there only where there is such a store."""
    return any(each.__module__ == "botocore.exceptions" for each in type(exc).__mro__)


def _from_rest(exc: exceptions.APIException) -> ShopError:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    details = _details(exc.detail)
    code = "invalid" if isinstance(exc, exceptions.ValidationError) else _code(exc)
    return ShopError(_sentence(exc, details), status=exc.status_code, code=code, details=details, headers=headers)


def _code(exc: exceptions.APIException) -> str:
    """The code that it was raised with; of a permission, its own."""
    return str(getattr(exc.detail, "code", exc.default_code))


def _sentence(exc: exceptions.APIException, details: Details) -> str:
    if not details:
        return str(exc.detail)
    field, messages = next(iter(details.items()))
    return f"{field}: {messages[0]}"


def _details(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Nested validation errors flattened to `{"lines.0.quantity": [...]}`."""
    if isinstance(detail, dict):
        pairs = [(f"{prefix}.{key}" if prefix else str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(entry, (dict, list)) for entry in detail):
        pairs = [(f"{prefix}.{index}" if prefix else str(index), value) for index, value in enumerate(detail)]
    elif isinstance(detail, list):
        return {prefix or "non_field_errors": [str(message) for message in detail]}
    else:
        return {prefix: [str(detail)]} if prefix else {}
    return {field: messages for key, value in pairs for field, messages in _details(value, key).items()}


@csrf_exempt
def not_found(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """The last route and the `handler404`."""
    return respond(NothingHere(), getattr(request, "request_id", ""))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's `CSRF_FAILURE_VIEW`: a form posted without the token that its page holds."""
    error = ShopError("The form's token is missing or wrong; load the page again.", status=403, code="csrf_failed")
    return respond(error, getattr(request, "request_id", ""))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The `handler400`: what a middleware could not read."""
    return respond(as_shop_error(exception) or Invalid(), getattr(request, "request_id", ""))


def server_error(request: HttpRequest) -> HttpResponse:
    """The `handler500`."""
    return respond(ShopError(), getattr(request, "request_id", ""))


class NoReport(ExceptionReporter):
    """Django's `DEFAULT_EXCEPTION_REPORTER`: with DEBUG its own would show settings, variables and code to anyone.

    It has no say in the content type, so it leaves the error at the request, for the outermost middleware to answer.
    """

    def get_traceback_html(self) -> SafeString:
        known = as_shop_error(self.exc_value) if isinstance(self.exc_value, Exception) else None
        self.request.failed_with = known or ShopError()  # type: ignore[union-attr]  # None for mails alone
        return SafeString()

    get_traceback_text = get_traceback_html
