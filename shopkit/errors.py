"""The one error form: what every service and every proxy answers when it can't do what was asked.

Nothing here needs Django, so that the proxies and the server's own error pages use it too.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

Details = Mapping[str, Sequence[str]]
T = TypeVar("T")


class ShopError(Exception):
    """An answer other than success: `status` (HTTP), `code` (for programs), `message` (one sentence for people)."""

    status = 500
    code = "internal_error"
    message = "Something went wrong on our side; the request id finds it in the logs."

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        code: str | None = None,
        details: Details | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.message
        self.status = status or self.status
        self.code = code or self.code
        self.details = details or {}
        self.headers = dict(headers or {})
        super().__init__(self.message)

    @property
    def is_refusal(self) -> bool:
        """Whether a peer's answer is a no; else nobody knows what came of it, or who asked was not let in for now."""
        return self.status < 500 and self.status not in (401, 403, 408, 429)


class Moved(ShopError):
    """What was asked for is at `location`, a path, now; 307, so that the method stays (RFC 9110 §15.4.8)."""

    status, code, message = 307, "moved", "This is somewhere else now."

    def __init__(self, location: str) -> None:
        super().__init__(details={"location": [location]}, headers={"Location": location})


class Invalid(ShopError):
    status, code, message = 400, "invalid", "The request is not valid."


class Unauthenticated(ShopError):
    status, code, message = 401, "not_authenticated", "This call needs to know who is calling."

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": "Bearer"})  # RFC 9110 §15.5.2


class Forbidden(ShopError):
    status, code, message = 403, "forbidden", "You may not do this."


class NotFound(ShopError):
    status, code, message = 404, "not_found", "There is nothing here, or it is not yours."


class MethodNotAllowed(ShopError):
    status, code, message = 405, "method_not_allowed", "This method is not allowed here."


class Conflict(ShopError):
    status, code, message = 409, "conflict", "This conflicts with the present state."


class PreconditionFailed(ShopError):
    status, code, message = 412, "precondition_failed", "It has changed since you read it; read it again."


class TooLarge(ShopError):
    status, code, message = 413, "too_large", "The body is larger than this service takes."


class TooManyRequests(ShopError):
    """`retry_after`: seconds until it may be tried again."""

    status, code, message = 429, "rate_limited", "There were too many requests; try again later."

    def __init__(self, retry_after: int, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(headers={"Retry-After": str(max(1, retry_after)), **(headers or {})})


class Throttled(TooManyRequests):
    code, message = "throttled", "There were too many attempts; try again later."


class HeadersTooLarge(ShopError):
    status, code, message = 431, "headers_too_large", "The request's headers are larger than this service takes."


class BadGateway(ShopError):
    status, code, message = 502, "bad_gateway", "A service behind this one gave no usable answer."


class Unavailable(ShopError):
    status, code, message = 503, "unavailable", "A service behind this one is not available; try again soon."


class GatewayTimeout(ShopError):
    status, code, message = 504, "gateway_timeout", "A service behind this one did not answer in time."


def found(row: T | None) -> T:
    """What a look-up found; `NotFound` for None."""
    if row is None:
        raise NotFound
    return row


def error_body(error: ShopError, request_id: str) -> dict[str, object]:
    """`{"error", "code", "details", "request_id"}`."""
    details = {field: list(messages) for field, messages in error.details.items()}
    return {"error": error.message, "code": error.code, "details": details, "request_id": request_id}


def error_bytes(error: ShopError, request_id: str) -> bytes:
    """The body as JSON."""
    return json.dumps(error_body(error, request_id)).encode()
