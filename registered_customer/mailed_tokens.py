"""The tokens that mails carry: whoever has one has the mailbox. Only a hash of it is kept."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
