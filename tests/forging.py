"""Tokens that a fleet under test did not issue: signed with its own keys, with others, or with none."""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from shopkit import tokens, topology
from shopkit.keys import SigningKey


@dataclass(frozen=True)
class Mint:
    """Signs with the development keys that a fleet keeps in its data folder."""

    data: Path

    def key(self, service: str) -> SigningKey:
        return SigningKey(service, (self.data / "keys" / service).read_text().strip())

    def access(
        self, *, by: str | None = None, key: SigningKey | None = None, header: Mapping[str, Any] = {}, **claims: Any
    ) -> str:
        """An access token as the service that issues that type makes it; what is given replaces what it would say."""
        kind = claims.get("type", "registered")
        issuer = by or next(each.name for each in topology.SERVICES.values() if kind in each.issues)
        own, whole = self.key(issuer), self.claims(issuer, **claims)
        head = {"kid": own.public.kid, "typ": tokens.ACCESS, **header}
        return jwt.encode(whole, (key or own).key, tokens.ALGORITHM, headers=head)

    def service(self, audience: str, by: str, **claims: Any) -> str:
        """A token with which the service `by` calls another."""
        own = {"aud": audience, "sub": by, "type": "service", "role": "service", **claims}
        return self.access(by=by, header={"typ": tokens.SERVICE}, **own)

    @staticmethod
    def claims(issuer: str, **claims: Any) -> dict[str, Any]:
        now = int(time.time())
        body = {"iss": issuer, "aud": tokens.AUDIENCE, "iat": now, "exp": now + 600, "jti": uuid.uuid4().hex}
        return {**body, "type": "registered", "role": "customer", **claims}


def part(value: object) -> str:
    """A header or claims as they stand in a token."""
    return encoded(json.dumps(value).encode())


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
