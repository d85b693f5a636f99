"""The one entry of every service: `application()` for the service that `SHOP_SERVICE` names."""

import io
import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from shopkit import topology
from shopkit.local_app import WsgiApp


def use(name: str) -> topology.Service:
    """Makes this process that service's, before Django is set up."""
    service = topology.service(name)
    os.environ["SHOP_SERVICE"] = name
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{name}.settings"
    return service


def application() -> Any:
    """A `Proxy` for a service that proxies, else WSGI."""
    service = use(os.environ["SHOP_SERVICE"])
    made = import_module(f"{service.name}.routing").application() if service.proxies else whole_bodies(_wsgi())
    from django.urls import get_resolver

    assert get_resolver().url_patterns  # what can't be imported stops the start, instead of every request
    return made


def _wsgi() -> WsgiApp:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def whole_bodies(app: WsgiApp) -> WsgiApp:
    """Gives a chunked body the `CONTENT_LENGTH` without which Django takes it for empty.

    One byte past the limit is enough for the middleware to answer 413.
    """
    from shopkit.settings import MAX_BODY

    def whole(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(MAX_BODY + 1)
            environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ, start_response)

    return whole
