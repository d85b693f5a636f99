"""Where the catalogue's items come from: of each item service, whether it answers, and how far it was read.

Kept in the catalogue's file, so that all processes of this machine know the same, and whichever comes first asks.
"""

import math
import time
from dataclasses import dataclass, fields

from items_router.catalogue import store
from shopkit import topology

LATELY = 5.0  # seconds since a service last answered in which it counts as there
HOPE = 2  # times in a row that a service is waited for in vain, until nobody else has to
KNOWN_FOR = 0.2  # seconds that a process believes what it last read of that


@dataclass(frozen=True)
class Source:
    """Times in seconds since 1970, 0 for never; `since` in ms, by the service's own clock.

    `complete`: all its items were read once. `round_at`: when the reading of all that is going on began, None if none
    is; it has come to `since` and `after`. `amiss`: how often in a row the number of items was not the service's own;
    `hung`: how often in a row it was waited for in vain.
    """

    type: str
    tried_at: float = 0
    reached_at: float = 0
    failed_at: float = 0
    complete: bool = False
    round_at: float | None = 1
    since: int = 0
    after: str = ""
    healed_at: float = 0
    amiss: int = 0
    untold: int = 0
    hung: int = 0

    @property
    def silent(self) -> bool:
        """It did not answer the last time, though once it did: at the start, nobody knows yet."""
        return self.failed_at > self.reached_at > 0

    @property
    def given_up(self) -> bool:
        """It hangs, so that nobody need wait for it; when it answers again, we hear of it."""
        return self.hung >= HOPE

    @property
    def live(self) -> bool:
        """It answered lately, and what the catalogue has of it is whole."""
        return bool(self.complete) and self.reached_at > self.failed_at and time.time() - self.reached_at < LATELY


def every() -> dict[str, Source]:
    """By item type, of all there are."""
    columns = ", ".join(field.name for field in fields(Source))
    with store.reading() as connection:
        rows = connection.execute(f"SELECT {columns} FROM sources").fetchall()
    found = {row[0]: Source(*row) for row in rows}
    return {kind: found.get(kind, Source(kind)) for kind in topology.by_item_type()}


@dataclass(frozen=True, slots=True)
class Lately:
    """Of which types the service is `silent`, and of which it is `given_up`."""

    silent: frozenset[str]
    given_up: frozenset[str]


_known: Lately | None = None
_known_at = 0.0


def lately() -> Lately:
    """At most `KNOWN_FOR` old: for what is asked with each request that passes."""
    global _known, _known_at
    if _known is None or time.monotonic() - _known_at > KNOWN_FOR:
        now = every().values()
        _known = Lately(frozenset(s.type for s in now if s.silent), frozenset(s.type for s in now if s.given_up))
        _known_at = time.monotonic()
    return _known


def live() -> dict[str, bool]:
    """Whether each type's items are as its service has them."""
    return {kind: source.live for kind, source in every().items()}


_heard: dict[str, float] = {}


def heard(item_type: str) -> None:
    """This process has just passed on an answer of its service."""
    _heard[item_type] = time.monotonic()


def seconds_unheard(item_type: str) -> float:
    """Since then; without end, where it never did."""
    return time.monotonic() - _heard.get(item_type, -math.inf)


def forget_known() -> None:
    """Has the next question read the file."""
    global _known
    _known = None


def claim(item_type: str, *, every_seconds: float) -> bool:
    """Whether it is for the caller to ask this service now: nobody else has within that time."""
    now = time.time()
    with store.writing() as connection:
        connection.execute("INSERT OR IGNORE INTO sources (type) VALUES (?)", [item_type])
        due = "UPDATE sources SET tried_at = ? WHERE type = ? AND NOT tried_at BETWEEN ? AND ?"
        return connection.execute(due, (now, item_type, now - every_seconds, now)).rowcount == 1


def put(item_type: str, **values: object) -> None:
    """Sets columns of the source."""
    marks = ", ".join(f"{name} = :{name}" for name in values)
    with store.writing() as connection:
        connection.execute(f"UPDATE sources SET {marks} WHERE type = :type", {**values, "type": item_type})
    forget_known()


def put_in_round(item_type: str, *, was: float | None, **values: object) -> bool:
    """The same, if the reading of all that is going on is still the one that began then; whether it was done."""
    marks = ", ".join(f"{name} = :{name}" for name in values)
    with store.writing() as connection:
        same = f"UPDATE sources SET {marks} WHERE type = :type AND round_at IS :was"
        done = connection.execute(same, {**values, "type": item_type, "was": was}).rowcount == 1
    forget_known()
    return done


def reached(item_type: str, *, untold: int | None = None) -> None:
    """It has just answered."""
    now = time.time()
    put(item_type, reached_at=now, tried_at=now, hung=0, **({} if untold is None else {"untold": untold}))


def failed(item_type: str, *, hangs: bool = False) -> None:
    """It has just not answered."""
    hung = every()[item_type].hung + 1 if hangs else 0
    put(item_type, failed_at=time.time(), hung=hung)
