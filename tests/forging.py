"""Tokens that a fleet under test did not issue: signed with its own keys, with others, or with none."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shopkit import tokens, topology
from shopkit.keys import PublicKey, SigningKey, new_seed


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
        given = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(whole, (key or own).key, tokens.ALGORITHM, headers=given)

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


HELD_BY = "registered_customer"  # the issuer as whom the forgeries pass themselves off
Forge = Callable[[Mint, str, str], str]
"""A token that says to be that customer; the last is the address of a listener."""


def stranger() -> SigningKey:
    return SigningKey("nobody", new_seed())


def signed_by_hand(alg: str, secret: Callable[[PublicKey], bytes], mint: Mint, sub: str, _url: str) -> str:
    public = mint.key(HELD_BY).public
    head = part({"alg": alg, "kid": public.kid, "typ": tokens.ACCESS}) + "." + part(mint.claims(HELD_BY, sub=sub))
    return f"{head}.{encoded(hmac.digest(secret(public), head.encode(), 'sha256'))}"


def without_signature(alg: str, signature: str, mint: Mint, sub: str, _url: str) -> str:
    head = {"alg": alg, "kid": mint.key(HELD_BY).public.kid, "typ": tokens.ACCESS}
    return f"{part(head)}.{part(mint.claims(HELD_BY, sub=sub))}.{signature}"


def by_a_stranger(mint: Mint, sub: str, _url: str) -> str:
    return mint.access(sub=sub, key=stranger())


def with_own_key(mint: Mint, sub: str, url: str) -> str:
    """A stranger's key, in the token or at an address that it names."""
    own = stranger()
    return mint.access(sub=sub, key=own, header={"jwk": own.public.jwk, "jku": url, "x5u": url, "kid": own.public.kid})


def calling_home(mint: Mint, sub: str, url: str) -> str:
    return mint.access(sub=sub, key=stranger(), header={"jku": url, "x5u": url})


def kid_at(mint: Mint, sub: str, url: str) -> str:
    return mint.access(sub=sub, header={"kid": url})


def tampered(mint: Mint, sub: str, _url: str) -> str:
    head, _body, signature = mint.access(sub="somebody-else").split(".")
    return f"{head}.{part(mint.claims(HELD_BY, sub=sub, role='staff'))}.{signature}"


def saying(mint: Mint, sub: str, _url: str, **claims: object) -> str:
    return mint.access(**{"by": HELD_BY, "sub": sub, **claims})  # type: ignore[arg-type]


def hs256(form: str) -> Forge:
    secrets: dict[str, Callable[[PublicKey], bytes]] = {
        "raw": lambda public: public.key.public_bytes_raw(),
        "pem": lambda public: public.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "text": lambda public: public.text.encode(),
    }
    return partial(signed_by_hand, "HS256", secrets[form])


FORGERIES: dict[str, Forge] = {
    **{f"alg {alg!r}": partial(without_signature, alg, "") for alg in ("none", "None", "NONE", "nOnE", "")},
    "alg none, signed": partial(without_signature, "none", "AAAA"),
    "EdDSA, unsigned": partial(without_signature, "EdDSA", ""),
    **{f"HS256 with the public key, {form}": hs256(form) for form in ("raw", "pem", "text")},
    "a stranger's key under our kid": by_a_stranger,
    "a key of its own": with_own_key,
    "a key to be fetched": calling_home,
    "a kid that is an address": kid_at,
    "a kid that nobody has": lambda mint, sub, _url: mint.access(sub=sub, header={"kid": f"{HELD_BY}.00000000"}),
    "a kid that is a path": lambda mint, sub, _url: mint.access(sub=sub, header={"kid": f"../keys/{HELD_BY}"}),
    "no kid": lambda mint, sub, _url: mint.access(sub=sub, header={"kid": None}),
    "claims changed": tampered,
    "expired": partial(saying, exp=int(time.time()) - 60),
    "not yet": partial(saying, nbf=int(time.time()) + 3600),
    "another audience": partial(saying, aud="another-shop"),
    "several audiences": partial(saying, aud=[tokens.AUDIENCE, "another-shop"]),
    "staff, as a guest": lambda mint, sub, _url: mint.access(sub=sub, type="guest", role="staff"),
    "registered, by the guests' service": partial(saying, by="guest_customer"),
    "a VIP, by the guests' service": partial(saying, by="guest_customer", type="vip"),
    "staff, by the guests' service": partial(saying, by="guest_customer", role="staff"),
    "registered, by the gateway": partial(saying, by="gateway"),
    "a service as a customer": partial(saying, role="service", type="service"),
    "an access token as a service's": partial(saying, header={"typ": tokens.SERVICE}),
    "3 KB": partial(saying, note="x" * 2_000),
}
