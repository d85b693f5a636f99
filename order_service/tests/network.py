"""The network between simulated processes and their peers, and whatever else may happen to a process, by the seed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from django.db import connection

from order_service.tests.fibers import Killed, Loop
from order_service.tests.peers import Peers, Refused

TIMEOUT = 5.0
LATEST = 60.0  # seconds until the last copy of a request arrives
ASLEEP = (61.0, 120.0)  # for longer than any lease
CALL_FATES = {
    "refused": 3,
    "lost": 3,
    "unanswered": 4,
    "late": 3,
    "doubled": 4,
    "slow": 8,
    "unavailable": 3,
    "dies before": 2,
    "dies after": 2,
    "sleeps before": 1,
    "sleeps after": 1,
}
STATEMENT_FATES = {"dies": 3, "sleeps": 1, "waits": 30}


@dataclass
class Faults:
    """Which share of calls and of statements something happens to, `until` when, and when the `last` of it is over."""

    calls: float
    statements: float
    until: float
    last: float = 0.0


@dataclass
class Response:
    """What `shopkit.http` asks of a `requests.Response`, and of what it has as `raw`."""

    status_code: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> "Response":
        return self

    def read(self, most: int, decode_content: bool) -> bytes:
        return self.content[:most]


class Network:
    """Stands where `shopkit.http` has its adapter: `send` is one call of a process to a peer."""

    def __init__(self, loop: Loop, peers: Peers, faults: Faults) -> None:
        self.loop, self.peers, self.faults = loop, peers, faults
        self._fates = {name: getattr(self, "_" + name.replace(" ", "_")) for name in CALL_FATES}

    def send(self, request: requests.PreparedRequest, **_: Any) -> Response:
        assert not connection.in_atomic_block, f"a transaction is open over a call: {request.url}"
        path, body = urlsplit(str(request.url)).path, json.loads(request.body or "{}")
        act = lambda: self._act(path, body)  # noqa: E731
        fate = self._fate(CALL_FATES, self.faults.calls)
        if fate:
            self._strikes(fate, path)
            return self._fates[fate](act)  # type: ignore[no-any-return]
        if self.loop.random.random() < 0.2:
            self.loop.sleep(self.loop.random.uniform(0.001, 0.05))
        return act()

    def _act(self, path: str, body: Any) -> Response:
        try:
            found: tuple[int, Any] = 200, self.peers.answer(path, body)
        except Refused as refused:
            found = refused.status, {"error": refused.code, "code": refused.code, "details": {}}
        if self.loop.current:
            self.loop.note(f"{path} {found[0]} {found[1].get('status') or found[1].get('code') or ''}")
        return _response(*found)

    def _fate(self, fates: dict[str, int], often: float) -> str | None:
        if self.loop.now > self.faults.until or self.loop.random.random() > often:
            return None
        return self.loop.random.choices(list(fates), list(fates.values()))[0]

    def _strikes(self, fate: str, what: str, lasts: float = 0.0) -> None:
        self.loop.note(f"{fate}: {what}")
        self.faults.last = max(self.faults.last, self.loop.now + lasts)

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Around each statement, since a process may die or sleep before any."""
        fiber = self.loop.current
        if fiber and not sql.startswith(("ROLLBACK", "RELEASE")):
            if fiber.dead:
                raise Killed
            if fate := self._fate(STATEMENT_FATES, self.faults.statements):
                self._befalls(fate, sql)
        return execute(sql, params, many, context)

    def _befalls(self, fate: str, sql: str) -> None:
        if fate == "dies":
            self._strikes("dies", sql[:60])
            self.loop.die()
        elif not connection.in_atomic_block:  # who has the one connection there is, does not let go of it
            self._sleep(*((0.001, 0.5) if fate == "waits" else ASLEEP))

    def _sleep(self, least: float, most: float) -> None:
        seconds = self.loop.random.uniform(least, most)
        if seconds > TIMEOUT:
            self._strikes("sleeps", f"{seconds:.0f} s", seconds)
        self.loop.sleep(seconds)

    def _again(self, act: Callable[[], object]) -> None:
        seconds = self.loop.random.uniform(0.01, LATEST)
        self._strikes("arrives", f"in {seconds:.0f} s", seconds)
        self.loop.later(seconds, act)

    def _times_out(self) -> Response:
        self.loop.sleep(TIMEOUT)
        raise requests.ReadTimeout

    def _refused(self, act: Callable[[], Any]) -> Response:
        raise requests.ConnectionError

    def _lost(self, act: Callable[[], Any]) -> Response:
        return self._times_out()

    def _unanswered(self, act: Callable[[], Any]) -> Response:
        act()
        return self._times_out()

    def _late(self, act: Callable[[], Any]) -> Response:
        self._again(act)
        return self._times_out()

    def _doubled(self, act: Callable[[], Any]) -> Response:
        self._again(act)
        return act()  # type: ignore[no-any-return]

    def _slow(self, act: Callable[[], Any]) -> Response:
        self.loop.sleep(self.loop.random.uniform(0.0, TIMEOUT / 2))
        response = act()
        self.loop.sleep(self.loop.random.uniform(0.0, TIMEOUT / 2))
        return response  # type: ignore[no-any-return]

    def _unavailable(self, act: Callable[[], Any]) -> Response:
        if self.loop.random.random() < 0.5:
            act()
        return _response(503, {"error": "", "code": "unavailable", "details": {}})

    def _dies_before(self, act: Callable[[], Any]) -> Response:
        if self.loop.random.random() < 0.3:
            self._again(act)
        self.loop.die()
        raise AssertionError

    def _dies_after(self, act: Callable[[], Any]) -> Response:
        act()
        self.loop.die()
        raise AssertionError

    def _sleeps_before(self, act: Callable[[], Any]) -> Response:
        self._sleep(*ASLEEP)
        return act()  # type: ignore[no-any-return]

    def _sleeps_after(self, act: Callable[[], Any]) -> Response:
        response = act()
        self._sleep(*ASLEEP)
        return response  # type: ignore[no-any-return]


def _response(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body).encode())
