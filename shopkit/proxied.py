"""A service that proxies: the way through in front of its Django application, with metrics and the log line."""

from functools import partial

from django.core.wsgi import get_wsgi_application

from shopkit import records, topology
from shopkit.auth import IDENTITY_HEADERS, of_token, token_for
from shopkit.config import config
from shopkit.errors import ShopError
from shopkit.hygiene import Headers
from shopkit.local_app import LocalApp
from shopkit.proxy import Forward, Limits, Local, Pick, Proxy, Request

# Shorter than the outermost one's, or a hanging service would look to it as if the router hung, with all behind it.
INNER = Limits(response_head_s=8.0)


def application_of(name: str, pick: Pick, *, outermost: bool = False) -> Proxy:
    """The application of a router or the gateway; its upstreams are the services that the topology lets it call.

    The `outermost` one writes the forwarded headers; of those that a proxy before it wrote, where `SHOP_BEHIND_PROXY`
    says that there is one, it takes the host, the scheme and who called that. Those behind it add to them.
    """
    behind_proxy = outermost and config().behind_proxy
    proxy = Proxy(
        pick=partial(_picked, pick),
        upstreams={peer: topology.service(peer).url for peer in topology.service(name).calls},
        fallback=partial(_here, LocalApp(get_wsgi_application())),
        limits=Limits() if outermost else INNER,
        # in secure access an identity comes from a token or not at all
        drop_headers=frozenset() if config().open_access else IDENTITY_HEADERS,
        trust_forwarded=behind_proxy or not outermost,
        behind_proxy=behind_proxy,
        service_name=name,
    )
    proxy.record = partial(records.note, name)
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


async def _here(django: Local, request: Request, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    if request.path == "/metrics":  # who asks finds in them what they have done before
        records.flush()
    return await django(request, headers, body)
