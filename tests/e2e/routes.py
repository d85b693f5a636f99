"""Which routes a service has, described or not, and whom its internal ones let in in open access: its own code says."""

import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopkit import keys, topology
from tests import each_service
from tests.e2e.operations import METHODS
from tests.forging import Mint

FILLED = {"uuid": str(uuid.UUID(int=1)), "int": "1"}


@dataclass(frozen=True)
class Route:
    """A method of a path (`/internal/carts/{cart_id}/ordered/`); `filled` names what is not there.

    `open_access` are the statuses that callers get there in open access, where nobody need be who they say.
    """

    service: str
    method: str
    path: str
    filled: str
    open_access: dict[str, int]

    @property
    def internal(self) -> bool:
        return self.path.startswith("/internal/")

    def __str__(self) -> str:
        return f"{self.service}: {self.method} {self.path}"


def all_routes(data: Path) -> list[Route]:
    env = {"SHOP_DATA": str(data), "SHOP_ACCESS": "open", "SHOP_LOG_LEVEL": "ERROR"}
    told = each_service.ask(topology.SERVICES, routes_of, env)
    return [Route(**route) for routes in told.values() for route in routes]


def strangers_to(service: str) -> list[str]:
    """The services that the topology does not let call it."""
    return [each.name for each in topology.SERVICES.values() if service not in each.may_call]


def peers_of(service: str) -> list[str]:
    return [each.name for each in topology.SERVICES.values() if service in each.may_call]


def routes_of(service: str) -> list[dict[str, Any]]:
    """In that service's own process."""
    import django

    django.setup()
    keys.public_keys()  # makes those that are not there yet
    from django.urls import get_resolver

    return list(_walk(service, get_resolver().url_patterns, "/"))


def _walk(service: str, patterns: list[Any], before: str) -> Iterator[dict[str, Any]]:
    for each in patterns:
        path = before + str(each.pattern)
        if hasattr(each, "url_patterns"):
            if path != "/admin/":
                yield from _walk(service, each.url_patterns, path)
            continue
        filled = re.sub(r"<(\w+):\w+>", lambda found: FILLED.get(found[1], "nobody"), path)
        template = re.sub(r"<\w+:(\w+)>", r"{\1}", path)
        for method in _methods(each.callback):
            asked = _in_open_access(service, method, filled) if path.startswith("/internal/") else {}
            yield {
                "service": service,
                "method": method.upper(),
                "path": template,
                "filled": filled,
                "open_access": asked,
            }


def _methods(view: Any) -> list[str]:
    actions, made_by = getattr(view, "actions", None), getattr(view, "view_class", getattr(view, "cls", None))
    return [name for name in METHODS if (name in actions if actions else made_by is None or hasattr(made_by, name))]


def _in_open_access(service: str, method: str, path: str) -> dict[str, int]:
    from django.test import Client

    mint = Mint(Path(os.environ["SHOP_DATA"]))
    tokens = {
        "a registered customer": mint.access(sub="ada"),
        "staff": mint.access(sub="grace", role="staff"),
        **{stranger: mint.service(service, by=stranger) for stranger in strangers_to(service)},
    }
    callers = {
        "nobody": {},
        "a customer by header": {"X-User-ID": "ada"},
        "a service by header": {"X-Service": "gateway", "X-User-Role": "service"},
        **{name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()},
    }
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    ask = getattr(client, method)
    return {who: ask(path, headers=headers).status_code for who, headers in callers.items()}
