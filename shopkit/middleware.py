"""Around each request at a service's own port: request id, log line, metrics, path rules, the error form."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from shopkit import metrics
from shopkit.error_handler import as_shop_error, respond
from shopkit.errors import ShopError, TooLarge
from shopkit.hygiene import canonical_path, check_query
from shopkit.request_id import HEADER, sane_or_new
from shopkit.settings import MAX_BODY

QUIET = ("/health/", "/metrics")
Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger()


class RequestMiddleware:
    """Outermost: gives the request its id, and writes one log line and one metric when it is answered."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        request_id = sane_or_new(request.headers.get(HEADER))
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if error := getattr(request, "failed_with", None):
                response = respond(error, request_id)
            response[HEADER] = request_id
            self._record(request, response, time.perf_counter() - start)
        return response

    def _record(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        route = request.resolver_match.route if request.resolver_match else "none"
        metrics.observe(request.method or "", route, response.status_code, seconds)
        if not (settings.SERVICE.proxies or request.path.startswith(QUIET)):  # the way through has its own line
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 2),
            )


class HygieneMiddleware:
    """The proxies' path rules, held at every port; and every exception answered in the one error form."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            self._clean(request)
        except ShopError as error:
            return respond(error, request.request_id)  # type: ignore[attr-defined]
        return self.get_response(request)

    def _clean(self, request: HttpRequest) -> None:
        raw_target = request.META.get("RAW_URI") or request.get_full_path()
        raw_path, _, query = raw_target.partition("?")
        request.path_info = request.path = canonical_path(raw_path.encode("latin-1"))
        check_query(query.encode("latin-1"))
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise TooLarge

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        error = as_shop_error(exception)
        if error is None:
            log.exception("unhandled", path=request.path)
            error = ShopError()
        return respond(error, request.request_id)  # type: ignore[attr-defined]
