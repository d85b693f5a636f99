"""One request's way through a proxy: straight on where nothing else has to be waited for, in a task where it has.

Most requests are whole when they come, go to a service over a connection that is kept, and are answered in one piece.
Those are carried by callbacks alone: a task and its futures cost as much again. What turns out otherwise, at whatever
point, goes on in a task from there.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from shopkit.answer import Answer, Recorded
from shopkit.client_request import ClientGone, ClientRequest
from shopkit.clock import Clock, RequestTimeout
from shopkit.errors import BadGateway, GatewayTimeout, ShopError, Unavailable
from shopkit.exchange import Exchange
from shopkit.hygiene import Headers
from shopkit.incoming import NO_BODY, PIECE, Later, Request
from shopkit.request_id import sane_or_new

if TYPE_CHECKING:
    from shopkit.proxy import Forward, Proxy

_log = logging.getLogger(__name__)

STRAIGHT_TICKS = 4  # ticks of the clock that a service has to answer, until its request is taken for a slow one
_REPLACED = frozenset((b"x-request-id", b"server", b"x-powered-by"))


class Passed(NamedTuple):
    """A request that was answered by `service`; `path` as it came, `at` in Unix seconds."""

    method: str
    path: bytes
    status: int
    service: str
    request_id: str
    client: str
    seconds: float
    at: float


class Passage:
    """`begin` it, and `done` is called once the request is answered or cannot be."""

    _request: Request
    _target: "Forward | None" = None
    _exchange: Exchange | None = None
    _raised: Exception | None = None
    _ticks = 0

    def __init__(self, proxy: "Proxy", came: ClientRequest, done: Callable[[], None]) -> None:
        self._began = time.perf_counter()
        self._proxy = proxy
        self._came = came
        self._done = done
        said = came.only(b"x-request-id")
        self._answer = Answer(came, sane_or_new(said.decode("latin-1") if said else None), proxy.service_name)

    # -- straight on

    def begin(self) -> None:
        try:
            self._request = self._proxy.request(self._came, self._answer.request_id)
            self._answer.own_headers = self._request.response_headers
            self._target = self._proxy.pick(self._request)
            straight = self._target is not None and self._goes_straight(self._target)
        except Exception as error:
            self._raised, straight = error, False
        if straight:
            self._proxy.clocks.add(self)
        else:
            self._take_time()

    def _goes_straight(self, target: "Forward") -> bool:
        if target.then is not None or target.given_by is not None or self._request.body is not NO_BODY:
            return False
        self._answer.served_by = target.service
        self._exchange = self._proxy.exchange(self._request, target, self._answer)
        return self._exchange.send_at_once(self._hear)

    def _hear(self) -> None:
        """Something came from the service, or nothing will."""
        assert self._exchange
        try:
            relayed = self._exchange.relay_at_once()
        except Exception as error:
            self._raised, relayed = error, False
        if relayed:
            self._exchange.let_go()
            self._end()
        else:
            self._take_time()

    def tick(self, _now: float) -> None:
        """A request that is long in coming back is looked after: whether its client stays, and for how long."""
        self._ticks += 1
        if self._ticks > STRAIGHT_TICKS:
            self._take_time()

    def _end(self) -> None:
        self._proxy.clocks.discard(self)
        came, answer = self._came, self._answer
        seconds, now = time.perf_counter() - self._began, time.time()
        told = (came.method, came.path, answer.status, answer.served_by, answer.request_id, came.client)
        try:
            self._proxy.record(Passed(*told, seconds, now))
        finally:
            self._done()

    # -- in a task

    def _take_time(self) -> None:
        self._proxy.clocks.discard(self)
        if self._exchange is not None:
            self._exchange.ignore_news()
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    async def _go_on(self) -> None:
        try:
            await self._see_through()
        except Exception:
            _log.exception("unanswered request_id=%s", self._answer.request_id)
        finally:
            self._end()

    async def _see_through(self) -> None:
        try:
            if not await self._is_forwarded():
                await self._answer_locally()
        except ShopError as error:
            await self._refuse(error)
        except ClientGone:
            await self._answer.left()
        except Exception:
            _log.exception("unhandled request_id=%s", self._answer.request_id)
            await self._refuse(ShopError())

    async def _refuse(self, error: ShopError) -> None:
        try:
            with self._proxy.clocks.clock(self._proxy.limits.total_s) as clock:
                clock.allow(self._proxy.limits.idle_s, GatewayTimeout)
                await self._answer.refuse(error)
        except GatewayTimeout:  # they do not read it
            self._came.abort()

    async def _is_forwarded(self) -> bool:
        """Whether a service answered, as the router chose; if not, it is for the fallback to do."""
        try:
            with self._proxy.clocks.clock(self._proxy.limits.total_s) as clock:
                clock.allow(self._proxy.limits.idle_s, RequestTimeout)
                await self._choose()
                if self._target is not None:
                    await self._send_on(self._target, clock)
        except (Unavailable, BadGateway, GatewayTimeout):
            if self._target is None or self._target.or_here is None or self._answer.started:
                raise
            self._proxy.missed(self._target.service)
            self._answer.served_by = self._proxy.service_name
            self._request.path = self._target.or_here
            self._request.body = NO_BODY  # to stop listening made the server say that the client has left
            return False
        return self._target is not None

    async def _choose(self) -> None:
        """Asks the router again, once what it waits for is there; raises what was raised before there was a task."""
        raised, self._raised = self._raised, None  # which holds on to this, by way of where it was raised
        while isinstance(raised, Later):
            await raised.until()
            try:
                self._target, raised = self._proxy.pick(self._request), None
            except Later as later:
                raised = later
        if raised is None:
            return
        if self._exchange is not None:
            self._exchange.let_go()
        try:
            raise raised
        finally:
            del raised

    async def _send_on(self, target: "Forward", clock: Clock) -> None:
        self._answer.served_by, self._answer.then = target.service, target.then
        if target.given_by is None:
            await self._forward(target, clock)
        else:
            clock.allow(self._proxy.limits.total_s, GatewayTimeout)
            await target.given_by(self._request, self._answer, self._ask)

    async def _forward(self, target: "Forward", clock: Clock) -> None:
        body = self._request.body
        try:
            if body is not NO_BODY:  # whoever sends slowly keeps us waiting, and not a service's thread
                await body.hold(lambda: clock.allow(self._proxy.limits.idle_s, RequestTimeout))
            exchange = self._exchange or self._proxy.exchange(self._request, target, self._answer)
            await exchange.run(clock)
        finally:
            body.close()

    async def _ask(self, request: Request) -> Recorded:
        """The whole of what the target answers; raises as `Exchange` does, and is no client's to cancel."""
        assert self._target
        recorded = Recorded(request.id)
        with self._proxy.clocks.clock(self._proxy.limits.total_s) as clock:
            await self._proxy.exchange(request, self._target, recorded).run(clock)
        return recorded

    async def _answer_locally(self) -> None:
        """The fallback takes its time; the client has as much as with a service to send a body, and to take one."""
        request, limits, clocks = self._request, self._proxy.limits, self._proxy.clocks
        with clocks.clock(limits.total_s) as clock:
            body = await request.body.whole(lambda: clock.allow(limits.idle_s, RequestTimeout))
        headers: Headers = [(b"host", request.arrival.host), *self._proxy.headers(request)]
        status, given, content = await self._proxy.fallback(request, headers, body)
        await self._answer.start(status, [header for header in given if header[0] not in _REPLACED])
        with clocks.clock(limits.total_s) as clock:
            for start in range(0, len(content) or 1, PIECE):
                clock.allow(limits.idle_s, GatewayTimeout)
                await self._answer.piece(content[start : start + PIECE], more=start + PIECE < len(content))
