"""What the services' tests share: a request as a `pick` sees it, callers, and many of them at once."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs

import jwt
import pytest
import responses
from django.db import connections
from rest_framework.test import APIClient

from shopkit import keys, tokens, topology
from shopkit.errors import BadGateway
from shopkit.proxy import Forward, Pick, Request

T = TypeVar("T")
ODD_ANSWERS: tuple[object, ...] = (None, 1, "x", [1], [], {}, {"a": 1}, {"items": [1]}, {"rows": [1]})
"""JSON, none of which is what a peer is to answer."""


@dataclass
class Asked:
    """Stands for `shopkit.proxy.Request`; the end-to-end tests hold it to the real one."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return self.headers.get(name)

    def query_params(self) -> dict[str, list[str]]:
        return parse_qs(self.query)

    def json(self) -> object:
        return json.loads(self.body)


def picked(pick: Pick, asked: Asked) -> Forward | None:
    """Where the router sends it."""
    return pick(cast(Request, asked))


def every_peer_answers(peers: responses.RequestsMock, answer: object) -> None:
    """Each service, whatever it is asked for, with that JSON."""
    for method in ("GET", "POST"):
        peers.add(method, re.compile(".*"), json=answer)


def refuses_odd_answers(asked: Mapping[str, Callable[[], object]], odd: Iterable[object] = ODD_ANSWERS) -> Any:
    """A test that each of these calls is a `BadGateway`, whichever of these its peers answer; to be bound to a name."""

    @pytest.mark.parametrize("odd", odd, ids=repr)
    @pytest.mark.parametrize("ask", asked.values(), ids=asked)
    def test(peers: responses.RequestsMock, ask: Callable[[], object], odd: object) -> None:
        every_peer_answers(peers, odd)
        with pytest.raises(BadGateway):
            ask()

    return test


class Caller(APIClient):
    """Somebody who asks in JSON; without a name, staff, as in open access."""

    default_format = "json"


def caller(user_id: str, customer_type: str = "registered") -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_X_USER_ID=user_id, HTTP_X_CUSTOMER_TYPE=customer_type)


def staff_caller() -> Caller:
    return Caller(HTTP_HOST="localhost")


def access_token(
    subject: str,
    customer_type: str = "registered",
    *,
    by: str | None = None,
    typ: str = tokens.ACCESS,
    **claims: object,
) -> str:
    """An access token as the service that issues that type would make it, or `by` another; `claims` replace its own."""
    issuer = by or next(s.name for s in topology.SERVICES.values() if customer_type in s.issues)
    key, now = keys.kept(issuer), int(time.time())
    body = {"iss": issuer, "aud": tokens.AUDIENCE, "sub": subject, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    body = {**body, "type": customer_type, "role": "customer", **claims}
    given = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(given, key.key, tokens.ALGORITHM, headers={"kid": key.public.kid, "typ": typ})


def bearer(user_id: str, customer_type: str = "registered", **claims: object) -> Caller:
    """Somebody with an access token, which says of what type they were when it was made."""
    token = access_token(user_id, customer_type, **claims)  # type: ignore[arg-type]
    return Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}")


def service_token(audience: str, by: str, **claims: object) -> str:
    """A token with which the service `by` calls the service `audience`."""
    own = {"aud": audience, "type": "service", "role": "service", **claims}
    return access_token(by, by=by, typ=tokens.SERVICE, **own)  # type: ignore[arg-type]


def at_once(action: Callable[[int], T], times: int) -> list[T]:
    """What `action` gives for 0, 1, … below `times`: eight at a time, each with a database connection of its own."""

    def run(number: int) -> T:
        try:
            return action(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(run, range(times)))
