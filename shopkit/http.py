"""Calls from one service to another: pooled, to a deadline, one retry if idempotent, errors in our form."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from json import dumps, loads
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import requests
import structlog
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.retry import Retry

from shopkit import topology
from shopkit.auth import Identity, token_for
from shopkit.errors import BadGateway, GatewayTimeout, Moved, ShopError, Unavailable
from shopkit.request_id import HEADER
from shopkit.timed import TimedAdapter

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 1.0, 5.0
MOST_BYTES = 64 << 20  # of an answer, unpacked: several times a thousand items with all that they may say


class _Retry(Retry):
    """Once more if idempotent; but who waited in vain does not wait again, since our own caller waits too."""

    def increment(self, *args: Any, **details: Any) -> Self:
        if isinstance(error := details.get("error"), ReadTimeoutError):
            raise error
        return super().increment(*args, **details)


_RETRY = _Retry(
    total=1,
    allowed_methods={"GET", "HEAD", "PUT", "DELETE"},
    backoff_factor=0.05,
    redirect=False,
    respect_retry_after_header=False,
)
# Without a session around it: that would keep cookies, follow redirects and look for proxies, none of which we want.
_ADAPTER = TimedAdapter(pool_connections=16, pool_maxsize=32, max_retries=_RETRY)


def call(
    method: str,
    service: str,
    path: str,
    *,
    identity: Identity | None = None,
    params: dict[str, Any] | None = None,
    json: object = None,
    read_seconds: float = READ_SECONDS,
    client: str | None = None,
) -> Any:
    """The JSON a peer answers; a `ShopError` with its status and code when it refuses, 502/503/504 when it can't.

    `identity` is on whose behalf we ask, `client` the address they called from, where the peer counts by it;
    `read_seconds` are for the whole answer, to either of two tries.
    """
    url = topology.service(service).url + path
    request = _request(method, url, params, json, _headers(service, identity, client))
    try:
        response = _ADAPTER.send(request, timeout=(CONNECT_SECONDS, read_seconds))
        content = _content(service, response)
    except requests.ConnectionError as error:
        raise Unavailable(f"{service} is not available; try again soon.", headers={"Retry-After": "1"}) from error
    except (requests.Timeout, ReadTimeoutError) as error:
        raise GatewayTimeout(f"{service} did not answer in time.") from error
    except (requests.RequestException, HTTPError) as error:  # a body cut short, a coding that is none, …
        raise unusable(service) from error
    return _answer(service, response, content)


def get(service: str, path: str, *, identity: Identity | None = None, params: dict[str, Any] | None = None) -> Any:
    return call("GET", service, path, identity=identity, params=params)


def find(service: str, path: str, *, identity: Identity | None = None) -> Any | None:
    """`get`, or None when the peer says that there is no such thing."""
    try:
        body = get(service, path, identity=identity)
    except ShopError as error:
        if error.status == 404:
            return None
        raise
    if body is None:
        raise unusable(service)
    return body


def unusable(service: str) -> BadGateway:
    return BadGateway(f"{service} gave no usable answer.")


@contextmanager
def understanding(service: str) -> Iterator[None]:
    """Around what takes a peer's answer apart: `BadGateway` when its shape is not the expected one."""
    try:
        yield
    except (LookupError, AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise unusable(service) from error


def of_each(services: Iterable[topology.Service], ask: Callable[[topology.Service], T]) -> dict[str, T]:
    """`ask` of all services at once: name → answer."""
    asked = list(services)
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        futures = {service.name: pool.submit(copy_context().run, ask, service) for service in asked}
        return {name: future.result() for name, future in futures.items()}


def _request(
    method: str, url: str, params: dict[str, Any] | None, json: object, headers: dict[str, str]
) -> requests.PreparedRequest:
    """Prepared by hand, since there is nothing to find out about our own URLs and headers."""
    made = requests.PreparedRequest()
    made.method = method
    made.url = f"{url}?{urlencode(params)}" if params else url
    if json is not None:
        made.body = dumps(json).encode()
        headers = {**headers, "Content-Type": "application/json", "Content-Length": str(len(made.body))}
    made.headers = CaseInsensitiveDict(headers)
    return made


def _headers(service: str, identity: Identity | None, client: str | None) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {token_for(service, identity)}",
        HEADER: structlog.contextvars.get_contextvars().get("request_id", ""),
        "X-Forwarded-For": client or "",
    }
    return {name: value for name, value in headers.items() if value}


def _content(service: str, response: requests.Response) -> bytes:
    content: bytes = response.raw.read(MOST_BYTES + 1, decode_content=True)
    if len(content) > MOST_BYTES:
        response.close()
        raise BadGateway(f"{service} answered with more than {MOST_BYTES} bytes.")
    return content


def _answer(service: str, response: requests.Response, content: bytes) -> Any:
    if response.status_code == 204:
        return None
    try:
        body = loads(content)
    except ValueError as error:
        raise unusable(service) from error
    if response.status_code < 300:
        return body
    refusal = _refusal(service, response.status_code, body)
    if "Retry-After" in response.headers:
        refusal.headers["Retry-After"] = response.headers["Retry-After"]
    raise refusal


def _refusal(service: str, status: int, body: object) -> ShopError:
    """What the peer's answer comes to; a customer who `Moved` is elsewhere, which is for the caller to follow."""
    if isinstance(body, dict) and (status, body.get("code")) == (Moved.status, Moved.code):
        with understanding(service):
            return Moved(str(body["details"]["location"][0]))
    if not isinstance(body, dict) or "code" not in body or not 400 <= status < 600:
        return unusable(service)
    if status >= 500:
        return Unavailable(f"{service} is not available; try again soon.", headers={"Retry-After": "1"})
    return ShopError(body.get("error"), status=status, code=body["code"], details=body.get("details"))
