"""What the gateway itself asks of the services behind it; and what its commands ask of it, as anybody may."""

from dataclasses import dataclass
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from shopkit import http, topology
from shopkit.errors import ShopError, Unavailable
from shopkit.topology import Service

READY_SECONDS = 3.0  # a service that takes longer to say so is not ready


def schema(service: Service) -> dict[str, Any] | None:
    """The service's OpenAPI document, or None while it is not there."""
    try:
        with http.understanding(service.name):
            return dict(http.get(service.name, "/api/schema/"))
    except ShopError:
        return None


def is_ready(service: Service) -> bool:
    try:
        http.call("GET", service.name, "/health/ready", read_seconds=READY_SECONDS)
    except ShopError:
        return False
    return True


@dataclass(frozen=True)
class CacheCounts:
    """What the gateway keeps, and where its public answers came from: `hit`, `miss`, `unchanged` → how many."""

    kept: int
    bytes: int
    answers: dict[str, int]


def cache_counts() -> CacheCounts:
    """`Unavailable` when the gateway does not answer."""
    found: dict[str, dict[str, int]] = {}
    for family in text_string_to_metric_families(_own("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels.get("result", "")] = int(sample.value)
    answers = found.get("shop_cache_answers_total", {})
    return CacheCounts(found["shop_cache_kept"][""], found["shop_cache_bytes"][""], answers)


def is_given(path: str) -> bool:
    """Whether the gateway answers with 200. `Unavailable` when it does not at all."""
    return _own(path).ok


def _own(path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(topology.service("gateway").url + path, timeout=(1, 30), allow_redirects=False)
        except requests.RequestException as error:
            raise Unavailable(f"There is no answer at {topology.service('gateway').url}.") from error
