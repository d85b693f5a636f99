"""A service that proxies: the way through in front of its Django application, with metrics and the log line."""

from typing import cast

import structlog
from django.core.asgi import get_asgi_application

from shopkit import metrics, topology
from shopkit.auth import IDENTITY_HEADERS
from shopkit.config import config
from shopkit.incoming import ASGIApp
from shopkit.proxy import Pick, Proxy

log = structlog.get_logger()


def asgi_application(name: str, pick: Pick, *, outermost: bool = False) -> Proxy:
    """The ASGI application of a router or the gateway; its upstreams are the services that the topology lets it call.

    The `outermost` one writes the forwarded headers; those behind it add to them.
    """
    django = get_asgi_application()
    proxy = Proxy(
        pick=pick,
        upstreams={peer: topology.service(peer).url for peer in topology.service(name).calls},
        fallback=cast(ASGIApp, django),
        # in secure access an identity comes from a token or not at all
        drop_headers=frozenset() if config().open_access else IDENTITY_HEADERS,
        trust_forwarded=not outermost,
        service_name=name,
    )
    proxy.observe = _observe
    proxy.log = _log
    return proxy


def _log(line: dict[str, object]) -> None:
    log.info("proxied", **line)


def _observe(method: str, upstream: str, status: int, seconds: float) -> None:
    metrics.UPSTREAM_SECONDS.labels(upstream, status).observe(seconds)
