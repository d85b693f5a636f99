"""The one form in which an email address is kept, and how its owner is found."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils.encoding import punycode

M = TypeVar("M", bound=Model)


def normal(email: str) -> str:
    """In lower case, and the domain as DNS has it (`xn--…`): ASCII, which all stores compare in the same way."""
    name, at, domain = email.strip().lower().rpartition("@")
    try:
        return f"{name}{at}{punycode(domain)}".lower()
    except UnicodeError:
        return f"{name}{at}{domain}"


def with_email(rows: "QuerySet[M]", email: str) -> M | None:
    """The one with this very email. MySQL's collations take é for e; whoever has the one need not have the other."""
    row = rows.filter(email=normal(email)).first()
    return row if row is not None and row.email == normal(email) else None  # type: ignore[attr-defined]
