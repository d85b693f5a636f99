"""Who signs with what: each service has an Ed25519 key of its own, and everybody knows everybody's public keys.

In production both come from the environment: `SHOP_SIGNING_KEY` (this service's, a base64url seed) and
`SHOP_PUBLIC_KEYS` (`service:key,service:key,…`, all services'), and `python -m shopkit.keys` makes them. In development
they are made on first start, in the data folder.

To rotate a service's key, run that with its name: the list it prints holds the old public key beside the new one. Give
all services the new list, then the service its new key, and drop the old public key once no token lives that it signed.
"""

import argparse
import base64
import hashlib
import os
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shopkit import topology
from shopkit.config import ConfigurationError, config, kept_secret

MAKE = "make it with `python -m shopkit.keys`"


@dataclass(frozen=True)
class PublicKey:
    """A service's public key. `kid` names the service and the key: `guest_customer.5f0c1a2b`."""

    service: str
    text: str

    @property
    def kid(self) -> str:
        return f"{self.service}.{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    @property
    def key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(_bytes(self.text))

    @property
    def jwk(self) -> dict[str, str]:
        """RFC 8037 §2."""
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": self.text}


@dataclass(frozen=True)
class SigningKey:
    service: str
    seed: str

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_bytes(self.seed))

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.service, _text(self.key.public_key().public_bytes_raw()))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    return raw


def new_seed() -> str:
    return _text(Ed25519PrivateKey.generate().private_bytes_raw())


@cache
def signing_key() -> SigningKey:
    """This service's own key."""
    name = os.environ["SHOP_SERVICE"]
    seed = config().signing_key
    if seed is None and config().production:
        raise ConfigurationError(f"SHOP_SIGNING_KEY must be set in production; {MAKE}.")
    return SigningKey(name, seed) if seed else kept(name)


def kept(name: str) -> SigningKey:
    """A service's key in development, made on first use."""
    return SigningKey(name, kept_secret(config().data / "keys" / name, new_seed))


@cache
def public_keys() -> dict[str, PublicKey]:
    """Everybody's public keys, old and new, by `kid`."""
    text = config().public_keys
    if text is None and config().production:
        raise ConfigurationError(f"SHOP_PUBLIC_KEYS must be set in production; {MAKE}.")
    keys = parse(text) if text else [kept(name).public for name in topology.SERVICES]
    return {key.kid: key for key in keys}


def parse(text: str) -> list[PublicKey]:
    """`service:key,…` → the keys; `ConfigurationError` for a service that there is not."""
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    if unknown := [service for service, _, _ in pairs if service not in topology.SERVICES]:
        raise ConfigurationError(f"SHOP_PUBLIC_KEYS names {unknown[0]!r}, which is no service; {MAKE}.")
    return [PublicKey(service, key) for service, _, key in pairs]


def check() -> None:
    """`ConfigurationError`, in one sentence, for keys that are missing or do not fit together."""
    try:
        own = signing_key().public
        for key in public_keys().values():
            key.key  # noqa: B018 - raises for what is no key
    except (ValueError, Error):
        raise ConfigurationError(
            f"SHOP_SIGNING_KEY or SHOP_PUBLIC_KEYS holds what is no Ed25519 key; {MAKE}."
        ) from None
    if own.kid not in public_keys():
        raise ConfigurationError(
            f"SHOP_PUBLIC_KEYS lacks the public half of {own.service}'s SHOP_SIGNING_KEY, "
            f"so nobody would believe it; {MAKE}."
        )


def jwks() -> dict[str, list[dict[str, str]]]:
    """The public keys of the services that issue customers' tokens (RFC 7517 §5)."""
    return {"keys": [key.jwk for key in public_keys().values() if topology.service(key.service).issues]}


def made(names: Iterable[str], before: str) -> list[str]:
    """New keys for these services as lines for `.env`; `before` are the public keys that go on being believed."""
    new = [SigningKey(name, new_seed()) for name in names]
    public = [*parse(before), *(key.public for key in new)]
    lines = [f"{key.service.upper()}_SIGNING_KEY={key.seed}" for key in new]
    return [*lines, "SHOP_PUBLIC_KEYS=" + ",".join(f"{key.service}:{key.text}" for key in public)]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m shopkit.keys",
        description="Makes signing keys for production and prints them as lines for .env. With the names of services, "
        "only theirs, and the public keys that SHOP_PUBLIC_KEYS holds now stay in the list.",
    )
    parser.add_argument("services", nargs="*", choices=[[], *topology.SERVICES], metavar="SERVICE")
    names = parser.parse_args().services
    before = os.environ.get("SHOP_PUBLIC_KEYS", "") if names else ""
    print("\n".join(made(names or topology.SERVICES, before)))


if __name__ == "__main__":
    main()
