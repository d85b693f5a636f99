"""The ASGI way through the gateway and the routers: hygiene, a router's choice, then an upstream or the local app."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from shopkit.answer import Answer, Recorded, Then
from shopkit.breaker import Breaker
from shopkit.clock import Clock, Clocks, RequestTimeout
from shopkit.errors import BadGateway, GatewayTimeout, Invalid, MethodNotAllowed, ShopError, Unavailable
from shopkit.exchange import Exchange, request_head
from shopkit.hygiene import Headers, arrival, canonical_path, check_query, encoded_path, fold, forwarded_headers
from shopkit.incoming import ASGIApp, Body, ClientGone, Message, Receive, Request, Scope, Send, silence
from shopkit.ip import before_proxy
from shopkit.request_id import sane_or_new
from shopkit.upstream import DEFAULTS, Limits, Upstream

__all__ = ["Ask", "Forward", "Limits", "Pick", "Proxy", "Request"]

_log = logging.getLogger(__name__)


Ask = Callable[[Request], Awaitable[Recorded]]
Give = Callable[[Request, Answer, Ask], Awaitable[None]]


@dataclass(slots=True)
class Forward:
    """Send it on to this service, at this canonical path; the query goes along unchanged.

    `then(status, headers)` is done before the client is answered, whatever with; it must not raise. `given_by` answers
    the client itself, and may ask the service, with a request of its own. `or_local`: where the service can't be
    reached, the fallback answers. Only for requests without a body.
    """

    service: str
    path: str
    then: Then | None = field(default=None, compare=False)
    given_by: Give | None = field(default=None, compare=False)
    or_local: bool = field(default=False, compare=False)


Pick = Callable[[Request], Awaitable[Forward | None]]


def _no_metrics(method: str, service: str, status: int, seconds: float) -> None: ...


def _no_log(line: dict[str, object]) -> None: ...


def _no_matter(service: str) -> None: ...


class Proxy:
    """An ASGI 3 application. `pick` says where a request goes: on to one of `upstreams` (name → `http://host:port`),
    or, by None, to `fallback`; it refuses by raising `ShopError`.

    `drop_headers`: further names that never come in from outside. `trust_forwarded`: what called is one of our own
    hops, so its `X-Forwarded-*` count. `behind_proxy`: it is the proxy before the whole fleet, and who called that is
    the client, to count, to log and to pass on. Hooks: `observe(method, service, status, seconds)`; `log(line)` with
    `method path status service ms request_id client`; `missed(service)` when the fallback answers in its place.
    """

    def __init__(
        self,
        *,
        pick: Pick,
        upstreams: Mapping[str, str],
        fallback: ASGIApp,
        limits: Limits = DEFAULTS,
        drop_headers: frozenset[str] = frozenset(),
        trust_forwarded: bool = False,
        behind_proxy: bool = False,
        service_name: str = "",
    ) -> None:
        self._pick = pick
        self._upstreams = {name: Upstream(url, limits) for name, url in upstreams.items()}
        self._fallback = fallback
        self._limits = limits
        self._dropped = frozenset(fold(name).encode() for name in drop_headers)
        self._trusted = trust_forwarded
        self._behind_proxy = behind_proxy
        self._service_name = service_name
        self._clocks = Clocks()
        self.breakers: Mapping[str, Breaker] = {name: up.breaker for name, up in self._upstreams.items()}
        self.observe: Callable[[str, str, int, float], None] = _no_metrics
        self.log: Callable[[dict[str, object]], None] = _no_log
        self.missed: Callable[[str], None] = _no_matter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(_from_client(scope) if self._behind_proxy else scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """The server's start and stop; the fallback, a Django application, takes no part in them."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                for upstream in self._upstreams.values():
                    upstream.close()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        answer = Answer(scope, send, _request_id(scope["headers"]))
        answer.served_by = self._service_name
        try:
            await self._serve(scope, receive, answer)
        except ShopError as error:
            await answer.refuse(error)
        except ClientGone:
            await answer.left()
        except Exception:
            _log.exception("unhandled request_id=%s", answer.request_id)
            await answer.refuse(ShopError())
        finally:
            self._record(scope, answer, time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        request = self._request(scope, receive, answer.request_id)
        answer.own_headers = request.response_headers
        if not await self._is_forwarded(request, answer):
            receive, send = partial(self._patient, request.body), partial(self._in_time, answer)
            await self._fallback(self._local_scope(request), receive, send)

    async def _is_forwarded(self, request: Request, answer: Answer) -> bool:
        """Whether a service answered, as the router chose; if not, it is for the fallback to do."""
        target: Forward | None = None
        try:
            with self._clocks.clock(self._limits.total_s) as clock:
                clock.allow(self._limits.idle_s, RequestTimeout)
                target = await self._pick(request)
                if target is not None:
                    await self._send_on(request, target, clock, answer)
        except (Unavailable, BadGateway, GatewayTimeout):
            if target is None or not target.or_local or answer.started:
                raise
            self.missed(target.service)
            answer.served_by = self._service_name
            request.body = Body(silence, 0, 0)  # to stop listening made the server say that the client has left
            return False
        return target is not None

    async def _send_on(self, request: Request, target: Forward, clock: Clock, answer: Answer) -> None:
        answer.served_by, answer.then = target.service, target.then
        if target.given_by is None:
            await self._forward(request, target, clock, answer)
        else:
            clock.allow(self._limits.total_s, GatewayTimeout)
            await target.given_by(request, answer, partial(self._ask, target))

    async def _ask(self, target: Forward, request: Request) -> Recorded:
        """The whole of what the target answers; raises as `Exchange` does, and is no client's to cancel."""
        recorded = Recorded(request.id)
        with self._clocks.clock(self._limits.total_s) as clock:
            await self._forward(request, target, clock, recorded)
        return recorded

    async def _patient(self, body: Body) -> Message:
        """What the local application reads; `RequestTimeout` when the rest of the body does not come."""
        if body.ended:
            return await body.receive()
        try:
            async with asyncio.timeout(self._limits.idle_s):
                return await body.receive()
        except TimeoutError:
            raise RequestTimeout from None

    async def _in_time(self, answer: Answer, message: Message) -> None:
        """Sends what the local application answers; `GatewayTimeout` when the client does not take it."""
        try:
            async with asyncio.timeout(self._limits.idle_s):
                await answer.send(message)
        except TimeoutError:
            raise GatewayTimeout from None

    def _request(self, scope: Scope, receive: Receive, request_id: str) -> Request:
        path = canonical_path(scope["raw_path"])
        check_query(scope["query_string"])
        came = arrival(scope["headers"], self._dropped)
        if not came.host and scope["http_version"] != "1.0":
            raise Invalid("The Host header is missing.", code="bad_host")
        if came.websocket:
            raise Invalid("There is nothing to upgrade to here.", code="upgrade_refused")
        if scope["method"] in ("TRACE", "CONNECT"):
            raise MethodNotAllowed
        body = Body(receive, came.length, self._limits.max_body)
        return Request(scope, path, came, body, request_id, self._limits.json_limit)

    async def _forward(self, request: Request, target: Forward, clock: Clock, answer: Answer) -> None:
        upstream = self._upstreams[target.service]
        try:
            # whoever sends slowly keeps us waiting, and not a service's thread
            await request.body.hold(lambda: clock.allow(self._limits.idle_s, RequestTimeout))
            head = request_head(request, target.path, upstream.authority, self._headers(request))
            await Exchange(request, upstream, head, self._limits, clock, answer).run()
        finally:
            request.body.close()

    def _headers(self, request: Request) -> Headers:
        """What goes on, to an upstream or the fallback, but for `Host` and the framing."""
        client = _peer(request.scope)
        ours = forwarded_headers(request.arrival, client=client, scheme=request.scope["scheme"], trusted=self._trusted)
        return [*request.arrival.headers, *ours, (b"x-request-id", request.id.encode())]

    def _local_scope(self, request: Request) -> Scope:
        headers = [(b"host", request.arrival.host), *self._headers(request)]
        if request.body.length is None:
            headers.append((b"transfer-encoding", b"chunked"))
        elif request.body.length:
            headers.append((b"content-length", b"%d" % request.body.length))
        return {**request.scope, "path": request.path, "raw_path": encoded_path(request.path), "headers": headers}

    def _record(self, scope: Scope, answer: Answer, seconds: float) -> None:
        self.observe(scope["method"], answer.served_by, answer.status, seconds)
        self.log(
            {
                "method": scope["method"],
                "path": scope["path"],
                "status": answer.status,
                "service": answer.served_by,
                "ms": round(seconds * 1000, 2),
                "request_id": answer.request_id,
                "client": _peer(scope),
            }
        )


def _from_client(scope: Scope) -> Scope:
    """A request that came through a proxy, as if its client had called here: the proxy is no link of our chain."""
    said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    rest = [header for header in scope["headers"] if header[0] != b"x-forwarded-for"]
    return {**scope, "client": (before_proxy(",".join(said), _peer(scope)), 0), "headers": rest}


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or ("unknown",))[0])


def _request_id(headers: Headers) -> str:
    came = [value for name, value in headers if name == b"x-request-id"]
    return sane_or_new(came[0].decode("latin-1") if len(came) == 1 else None)
