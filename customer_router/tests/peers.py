"""Stands for the customer services, for moves of customer c1; `STORIES` hold it to what the real ones answer."""

import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from shopkit import topology

PLACE = re.compile(r"/internal/customers/([^/?]+)/$")
STEP = re.compile(r"/internal/customers/([^/?]+)/moves/([^/]+)/(\w+)/$")
TICKET, CUSTOMER = "ticket", "c1"
Answer = tuple[int, dict[str, Any]]


class Killed(BaseException):
    """The router's process ends here."""


def refusal(status: int, code: str) -> Answer:
    return status, {"error": "No.", "code": code, "details": {}, "request_id": ""}


UNDONE = refusal(409, "move_undone")


@dataclass
class Fake:
    """One service, and one customer as it has them: `here` or not, `held`, `coming`, `gone` or `settled` by a move."""

    known: bool = False
    here: bool = False
    held: str = ""
    coming: str = ""
    gone: str = ""
    settled: str = ""
    over: str = ""  # the last move that has been undone here
    spent: int = 0
    orders: list[Any] = field(default_factory=list)

    def place(self) -> Answer:
        if not self.known:
            return refusal(404, "not_found")
        return 200, {"here": self.here, "moved_to": "" if self.here else "x", "moving_to": "", "spent": self.spent}

    def hold(self, move: str) -> Answer:
        if not self.known:
            return refusal(404, "not_found")
        if not self.here or move <= self.over:
            return UNDONE
        if self.held not in ("", move):
            return refusal(409, "moving")
        self.held = move
        return 200, {"ticket": TICKET, "customer": {"profile": {}, "rows": {}}}

    def arrive(self, move: str) -> Answer:
        if self.here:
            return (200, {}) if self.settled == move else refusal(409, "already_here")
        if move <= self.over or self.coming not in ("", move):
            return UNDONE
        self.known, self.coming = True, move
        return 200, {}

    def leave(self, move: str) -> Answer:
        if self.gone != move:
            if self.held != move:
                return UNDONE
            self.here, self.held, self.gone = False, "", move
        return 200, {}

    def settle(self, move: str) -> Answer:
        if not self.known:
            return refusal(404, "not_found")
        if self.settled != move:
            if self.coming != move:
                return UNDONE
            self.here, self.coming, self.settled = True, "", move
        return 200, {}

    def release(self, move: str) -> Answer:
        if self.gone == move and not self.here:
            return refusal(409, "has_left")
        if self.here and self.held in ("", move):
            self.held, self.over = "", move
        return 200, {}

    def refuse(self, move: str) -> Answer:
        if not self.here and self.coming in ("", move):
            self.known, self.coming, self.over = True, "", move
        return 200, {}


class Peers:
    """All three. `faults` of a step are what goes wrong with its next calls, one each:

    `refused`, `unavailable`, `timeout`, `nonsense`, `lost` (done, but nobody hears), `killed before`, `killed after`.
    """

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.services = {service.name: Fake() for service in topology.by_customer_type().values()}
        self.faults: dict[str, list[str]] = {}
        self.calls: list[str] = []
        self.during: dict[str, Any] = {}
        self.told: list[Any] = []
        self._lock = threading.Lock()
        for name in self.services:
            url = re.escape(topology.service(name).url)
            mock.add_callback("GET", re.compile(f"{url}{PLACE.pattern}"), self._place)
            mock.add_callback("POST", re.compile(f"{url}{STEP.pattern}"), self._step)

    def __getitem__(self, kind: str) -> Fake:
        return self.services[topology.by_customer_type()[kind].name]

    def has(self, kind: str, **fields: Any) -> None:
        """There is a customer of that type."""
        vars(self[kind]).update(known=True, here=True, **fields)

    @property
    def places(self) -> list[str]:
        return [kind for kind in topology.by_customer_type() if self[kind].here]

    @property
    def at_rest(self) -> bool:
        return not any(fake.held or fake.coming for fake in self.services.values())

    def _fake(self, request: Any) -> Fake:
        return next(self.services[name] for name in self.services if request.url.startswith(topology.service(name).url))

    def _place(self, request: Any) -> tuple[int, dict[str, str], str]:
        found = PLACE.search(request.url)
        if not found or found[1] != CUSTOMER:
            return _answered(refusal(404, "not_found"))
        with self._lock:
            return _answered(self._fake(request).place())

    def _step(self, request: Any) -> Any:
        found = STEP.search(request.url)
        assert found
        move, step = found[2], found[3]
        if step in self.during:
            self.during.pop(step)()
        with self._lock:
            self.calls.append(step)
            fault = (self.faults.get(step) or [""]).pop(0)
            if fault == "killed before":
                raise Killed
            if fault in ("refused", "unavailable", "timeout", "nonsense"):
                return _FAULTS[fault]
            answer = _answered(getattr(self._fake(request), step)(str(uuid.UUID(move))))
        if fault == "killed after":
            raise Killed
        return _FAULTS[fault] if fault else answer


def _answered(answer: Answer) -> tuple[int, dict[str, str], str]:
    return answer[0], {}, json.dumps(answer[1])


_FAULTS: dict[str, Any] = {
    "refused": _answered(refusal(409, "email_taken")),
    "unavailable": _answered(refusal(503, "store_down")),
    "timeout": (0, {}, requests.ReadTimeout()),
    "nonsense": (200, {}, "<html>"),
    "lost": (0, {}, requests.ConnectionError()),
}
