"""`@idempotent`: a view's handler that answers a repeated request with the first answer."""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from shopkit.auth import caller
from shopkit.errors import Invalid
from shopkit.idempotency import services
from shopkit.idempotency.models import Answer

Handler = Callable[..., Response]
MAX_LENGTH = 255
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Repeat a request with its key, and it takes effect once; at most 255 characters, bare or quoted.",
)
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # a string of RFC 8941 §3.3.3
_BARE = re.compile(r"[!#-~][!-~]*")


def idempotent(*, in_transaction: bool = False) -> Callable[[Handler], Handler]:
    """Honours `Idempotency-Key` on a handler; without the header it just runs.

    `in_transaction`, for handlers that call no peer, runs it in a transaction of which the kept answer is part: the
    effect and its answer are there both or neither, whenever the process dies. Without it, what the handler did before
    it died must be safe to do again.

    An answer of 5xx, one that asks to `Retry-After`, and a redirect are not kept: the next one with the key runs.
    """

    def decorate(handler: Handler) -> Handler:
        @extend_schema(parameters=[KEY])
        @wraps(handler)
        def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            def run(answer: Answer | None = None) -> Response:
                with transaction.atomic() if in_transaction else nullcontext():
                    response = handler(view, request, *args, **kwargs)
                    if answer and not _keep(answer, response) and in_transaction:
                        raise services.in_progress()  # another has taken over: what was done here is undone
                return response

            return _once(view, request, key, run) if (key := key_of(request)) else run()

        return once

    return decorate


def key_of(request: Request) -> str | None:
    """The key without its quotes; `Invalid("invalid_idempotency_key")` for what is none."""
    if (header := request.headers.get("Idempotency-Key")) is None:
        return None
    quoted, bare = _QUOTED.fullmatch(header.strip()), _BARE.fullmatch(header.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else bare[0] if bare else ""
    if not 0 < len(key) <= MAX_LENGTH:
        message = f"Idempotency-Key must be 1 to {MAX_LENGTH} ASCII characters, bare or quoted."
        raise Invalid(message, code="invalid_idempotency_key", details={"Idempotency-Key": [message]})
    return key


def scope_of(request: Request) -> str:
    """What tells requests that repeat each other from all others; empty without a key."""
    return _scope(request, key) if (key := key_of(request)) else ""


def _once(view: Any, request: Request, key: str, run: Callable[[Answer], Response]) -> Response:
    body = request.body  # before anyone parses it, or it would be gone
    digest = hashlib.sha256(body).hexdigest()
    answer = services.claim(scope=_scope(request, key), body_digest=digest, caller=caller(request))
    if answer.status:
        return _replayed(answer)
    kept = False
    try:
        try:
            response = run(answer)
        except Exception as error:
            response = view.handle_exception(error)  # raises what it does not know
            _keep(answer, response)
        kept = _lasts(response)
    finally:
        if not kept:
            services.release(answer=answer)
    return response


def _scope(request: Request, key: str) -> str:
    """Callers without an identity share one: a random key is all that tells them apart."""
    user = caller(request)
    parts = [user.service, user.is_staff, user.customer_id, request.method, request.path, key]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _keep(answer: Answer, response: Response) -> bool:
    """False when it had to be kept and another had taken over."""
    if not _lasts(response):
        return True
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    body = "" if response.data is None else JSONRenderer().render(response.data).decode()
    return services.keep(answer=answer, status=response.status_code, headers=headers, body=body)


def _lasts(response: Response) -> bool:
    """Whether the next one with the key is to have this answer too."""
    code = response.status_code
    return (code < 300 or 400 <= code < 500) and "Retry-After" not in response


def _replayed(answer: Answer) -> Response:
    headers = {**answer.headers, "Idempotent-Replayed": "true"}
    return Response(json.loads(answer.body) if answer.body else None, status=answer.status, headers=headers)
