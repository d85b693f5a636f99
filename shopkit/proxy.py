"""The way through the gateway and the routers: hygiene, a router's choice, then an upstream or the application here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shopkit.answer import Answer, Recorded, Then
from shopkit.breaker import Breaker
from shopkit.client_request import ClientRequest
from shopkit.clock import Clocks
from shopkit.errors import Invalid, MethodNotAllowed
from shopkit.exchange import Exchange, request_head
from shopkit.hygiene import Headers, arrival, canonical_path, check_query, fold, forwarded_headers
from shopkit.incoming import NO_BODY, Body, Request
from shopkit.ip import before_proxy
from shopkit.passage import Passage, Passed
from shopkit.upstream import DEFAULTS, Limits, Upstream

__all__ = ["Ask", "Forward", "Limits", "Pick", "Proxy", "Request"]

Ask = Callable[[Request], Awaitable[Recorded]]
Give = Callable[[Request, Answer, Ask], Awaitable[None]]


@dataclass(slots=True)
class Forward:
    """Send it on to this service, at this canonical path; the query goes along unchanged.

    `then(status, headers)` is done before the client is answered, whatever with; it must not raise. `given_by` answers
    the client itself, and may ask the service, with a request of its own. `or_here`: the path at which the fallback
    answers where the service can't be reached, only for requests without a body.
    """

    service: str
    path: str
    then: Then | None = field(default=None, compare=False)
    given_by: Give | None = field(default=None, compare=False)
    or_here: str | None = field(default=None, compare=False)


Pick = Callable[[Request], Forward | None]
"""Where a request goes; raises `Later`, to be asked again, where that has to be waited for."""
Local = Callable[[Request, Headers, bytes], Awaitable[tuple[int, Headers, bytes]]]
"""Answers a request, with these headers and this body, by status, headers and body."""


def _no_record(passed: Passed) -> None: ...


def _no_matter(service: str) -> None: ...


class Proxy:
    """Answers clients' requests. `pick` says where one goes: on to one of `upstreams` (name → `http://host:port`),
    or, by None, to `fallback`; it refuses by raising `ShopError`.

    `drop_headers`: further names that never come in from outside. `trust_forwarded`: what called is one of our own
    hops, so its `X-Forwarded-*` count. `behind_proxy`: it is the proxy before the whole fleet, and who called that is
    the client, to count, to log and to pass on. Hooks: `record`, for each request once it is answered;
    `missed(service)` when the fallback answers in its place.
    """

    def __init__(
        self,
        *,
        pick: Pick,
        upstreams: Mapping[str, str],
        fallback: Local,
        limits: Limits = DEFAULTS,
        drop_headers: frozenset[str] = frozenset(),
        trust_forwarded: bool = False,
        behind_proxy: bool = False,
        service_name: str = "",
    ) -> None:
        self.pick = pick
        self.fallback = fallback
        self.limits = limits
        self.service_name = service_name
        self.clocks = Clocks()
        self._upstreams = {name: Upstream(url, limits) for name, url in upstreams.items()}
        self._dropped = frozenset(fold(name).encode() for name in drop_headers)
        self._trusted = trust_forwarded
        self._behind_proxy = behind_proxy
        self.breakers: Mapping[str, Breaker] = {name: up.breaker for name, up in self._upstreams.items()}
        self.record: Callable[[Passed], None] = _no_record
        self.missed: Callable[[str], None] = _no_matter

    def __call__(self, came: ClientRequest, done: Callable[[], None]) -> None:
        """Has the request answered; calls `done` once it is, or never will be."""
        if self._behind_proxy:
            _as_from_its_client(came)
        Passage(self, came, done).begin()

    # -- what a passage needs

    def request(self, came: ClientRequest, request_id: str) -> Request:
        """The request as a router sees it; refuses what may not pass."""
        path = canonical_path(came.path)
        check_query(came.query)
        arrived = arrival(came.headers, self._dropped)
        if not arrived.host and came.version != "1.0":
            raise Invalid("The Host header is missing.", code="bad_host")
        if arrived.websocket:
            raise Invalid("There is nothing to upgrade to here.", code="upgrade_refused")
        if came.method in ("TRACE", "CONNECT"):
            raise MethodNotAllowed
        body = NO_BODY if arrived.length == 0 else Body(came, arrived.length, self.limits.max_body)
        return Request(came, path, arrived, body, request_id, self.limits.json_limit)

    def exchange(self, request: Request, target: Forward, answer: Answer) -> Exchange:
        """The request, whose body's length is known by now, on its way to that service."""
        upstream = self._upstreams[target.service]
        head = request_head(request, target.path, upstream.authority, self.headers(request))
        return Exchange(request, upstream, head, self.limits, answer)

    def headers(self, request: Request) -> Headers:
        """What goes on, to an upstream or the fallback, but for `Host` and the framing."""
        ours = forwarded_headers(request.arrival, client=request.came.client, trusted=self._trusted)
        return [*request.arrival.headers, *ours, (b"x-request-id", request.id.encode())]


def _as_from_its_client(came: ClientRequest) -> None:
    """It came through a proxy: as if its client had called here, the proxy being no link of our chain."""
    said = [value.decode("latin-1") for name, value in came.headers if name == b"x-forwarded-for"]
    came.client = before_proxy(",".join(said), came.client)
    came.headers = [header for header in came.headers if header[0] != b"x-forwarded-for"]
