"""The answer to what is no request that an application could be given, in the one error form."""

from http import HTTPStatus

from shopkit.errors import HeadersTooLarge, Invalid, MethodNotAllowed, ShopError, error_bytes
from shopkit.request_id import HEADER, sane_or_new


def refusal(status: int) -> bytes:
    """A whole HTTP response, after which the connection is closed."""
    request_id = sane_or_new(None)
    body = error_bytes(_error(status), request_id)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{HEADER}: {request_id}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _error(status: int) -> ShopError:
    if status == 400:
        return Invalid("The request is not well-formed HTTP.", code="malformed_request")
    if status == 405:
        return MethodNotAllowed()
    if status == 414:
        return ShopError("The request line is longer than this service takes.", status=414, code="uri_too_long")
    if status == 431:
        return HeadersTooLarge()
    if status < 500 or status == 501:
        return ShopError("This service does not take such a request.", status=status, code="not_taken")
    return ShopError(status=status)
