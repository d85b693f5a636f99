"""A service that proxies: the way through in front of its Django application, with metrics and the log line."""

import asyncio
import os
import time
from functools import cache, lru_cache, partial
from json.encoder import encode_basestring_ascii

from django.core.wsgi import get_wsgi_application
from prometheus_client import Histogram

from shopkit import metrics, topology
from shopkit.auth import IDENTITY_HEADERS, of_token, token_for
from shopkit.config import config
from shopkit.errors import ShopError
from shopkit.local_app import LocalApp
from shopkit.middleware import QUIET
from shopkit.proxy import Forward, Limits, Pick, Proxy, Request

_STDOUT = 1
AT_ONCE = 8  # lines: what is longer than 4 KB may be torn apart by what another process writes to the same pipe

# Shorter than the outermost one's, or a hanging service would look to it as if the router hung, with all behind it.
INNER = Limits(response_head_s=8.0)


def application_of(name: str, pick: Pick, *, outermost: bool = False) -> Proxy:
    """The application of a router or the gateway; its upstreams are the services that the topology lets it call.

    The `outermost` one writes the forwarded headers; of those that a proxy before it wrote, where `SHOP_BEHIND_PROXY`
    says that there is one, it takes the host, the scheme and who called that. Those behind it add to them.
    """
    behind_proxy = outermost and config().behind_proxy
    django = LocalApp(get_wsgi_application())
    proxy = Proxy(
        pick=partial(_picked, pick),
        upstreams={peer: topology.service(peer).url for peer in topology.service(name).calls},
        fallback=django,
        limits=Limits() if outermost else INNER,
        # in secure access an identity comes from a token or not at all
        drop_headers=frozenset() if config().open_access else IDENTITY_HEADERS,
        trust_forwarded=behind_proxy or not outermost,
        behind_proxy=behind_proxy,
        service_name=name,
    )
    proxy.observe = _observe
    proxy.log = partial(_log, name)
    return proxy


def _picked(pick: Pick, request: Request) -> Forward | None:
    """A service's token counts at the service called alone: to go further, it is made anew, for the next one."""
    target = pick(request)
    if target is not None and (authorization := request.header("authorization")):
        try:
            caller = of_token(authorization)
        except ShopError:  # who is asked will refuse it
            return target
        if caller.service:
            request.replace_header("authorization", f"Bearer {token_for(target.service, caller)}")
    return target


def _log(service: str, line: dict[str, object]) -> None:
    """Written straight, in the shape that `shopkit.logging` gives: its chain would cost a third of the whole hop.

    Only the path can hold what JSON would have to escape. Polls for health and metrics are not worth a line.
    """
    if str(line["path"]).startswith(QUIET):
        return
    path = encode_basestring_ascii(str(line["path"]))
    text = (
        f'{{"service": "{service}", "method": "{line["method"]}", "path": {path}, '
        f'"status": {line["status"]}, "upstream": "{line["service"]}", "ms": {line["ms"]}, '
        f'"request_id": "{line["request_id"]}", "client": "{line["client"]}", '
        f'"event": "proxied", "level": "info", "timestamp": "{_now()}"}}\n'
    )
    _lines.write(text)


class _Lines:
    """Log lines, those of one turn of the event loop written together: to write one costs as much as ten."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def write(self, line: str) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(line)

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        while lines:
            part = b"".join(line.encode() for line in lines[:AT_ONCE])
            os.write(_STDOUT, part)
            del lines[:AT_ONCE]


_lines = _Lines()


def _now() -> str:
    seconds = time.time()
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1_000_000):06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _observe(_method: str, upstream: str, status: int, seconds: float) -> None:
    _histogram(upstream, status).observe(seconds)


@cache
def _histogram(upstream: str, status: int) -> Histogram:
    return metrics.UPSTREAM_SECONDS.labels(upstream, status)
