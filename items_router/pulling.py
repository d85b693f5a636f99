"""Asks the item services what has changed: whether they are there, each second; what we missed, now and then; and, of
one whose items the catalogue does not have, everything.

Any process may do any of it, and several at once: what they bring is applied once, by its revision.
"""

import time

import structlog
from django.conf import settings

from items_router import clients
from items_router.catalogue import applying, reading, sources
from items_router.catalogue.change import Change
from items_router.catalogue.sources import Source
from shopkit import http, topology
from shopkit.errors import GatewayTimeout, ShopError
from shopkit.topology import Service

EVERY = 0.8  # seconds between two questions to a service, whoever asks
PATIENCE = 2.0  # seconds for it to say that it is there
READ_SECONDS = 5.0  # and for a page of changes
PAGE, AT_ONCE = 1000, 250  # changes asked for, and applied in one transaction, so that no write waits long
AT_A_TIME = 2.0  # seconds of reading, until the others have their turn
OVERLAP = 60_000  # ms, read again each time: clocks differ, and a write takes until after its time
TOO_LONG = 20 * 3600.0  # seconds; the services remember deletions for a day
log = structlog.get_logger()


def look_after() -> None:
    """One round over all services: those that nobody has asked for a second."""
    due = [s for kind, s in topology.by_item_type().items() if sources.claim(kind, every_seconds=EVERY)]
    if due:
        http.of_each(due, _ask)


def _ask(service: Service) -> None:
    kind = service.item_type or ""
    try:
        standing = clients.changes_of(service=service.name, ids=[], seconds=PATIENCE)
        sources.reached(kind, untold=standing.untold)
        _catch_up(service)
    except GatewayTimeout:
        if sources.seconds_unheard(kind) < PATIENCE:
            sources.reached(kind)  # busy, for it answered others meanwhile
        else:
            sources.failed(kind, hangs=True)
    except ShopError:
        sources.failed(kind)


def _catch_up(service: Service) -> None:
    """What is due of reading: for so long that the others are not kept waiting."""
    until = time.monotonic() + AT_A_TIME
    while (source := sources.every()[service.item_type or ""]).round_at is not None:
        read_on(service, source)
        if time.monotonic() > until:
            return
    if time.time() - source.healed_at > TOO_LONG:
        begin_again(source.type)
    elif time.time() - source.healed_at > settings.CATALOGUE_HEAL_SECONDS:
        _heal(service, source)


def begin_again(item_type: str) -> None:
    """Has all items of the type read anew. Until that is done, the catalogue keeps what it has."""
    sources.put(item_type, round_at=time.time(), since=0, after="", amiss=0)


def read_on(service: Service, source: Source) -> int:
    """The next page of all items; with the last, what was not among them goes. How many there were."""
    began = time.time()
    told = _page(service, source.since, source.after)
    _apply(told.changes, again=True)
    if len(told.changes) == PAGE:
        last = told.changes[-1]
        sources.put_in_round(source.type, was=source.round_at, since=last.updated_at, after=last.id)
    else:
        _complete(source, told.now, began)
    sources.reached(source.type)
    return len(told.changes)


def _complete(source: Source, moment: int, began: float) -> None:
    """All was read: what was not among it goes. Not if somebody has begun anew, who has not read all of it."""
    done = {"complete": True, "round_at": None, "since": moment, "after": "", "healed_at": began, "amiss": 0}
    if sources.put_in_round(source.type, was=source.round_at, **done):
        applying.remove_unheard(item_type=source.type, since=source.round_at or 0)
        log.info("catalogue complete", type=source.type, items=reading.counts_of_types().get(source.type, 0))


def _heal(service: Service, source: Source) -> None:
    """Reads what has changed since the last time, and some time before it."""
    began = time.time()
    moment, after = max(0, source.since - OVERLAP), ""
    first = told = _page(service, moment, after)
    _apply(told.changes)
    while len(told.changes) == PAGE:
        moment, after = told.changes[-1].updated_at, told.changes[-1].id
        if time.time() - began > AT_A_TIME:  # the others have their turn, and then it goes on from here
            sources.put_in_round(source.type, was=None, since=moment + OVERLAP)
            return
        told = _page(service, moment, after)
        _apply(told.changes)
        sources.reached(source.type)
    applying.forget_gone(before=began - 2 * 86400)
    if sources.put_in_round(source.type, was=None, since=first.now, healed_at=began):
        _compare(source, told.count)


def _compare(source: Source, count: int | None) -> None:
    """Twice in a row another number than the service has: something was missed that no pull of changes brings back."""
    if count is None or count == reading.counts_of_types().get(source.type, 0):
        sources.put(source.type, amiss=0)
    elif source.amiss == 0:
        sources.put(source.type, amiss=1)
    else:
        log.warning("catalogue amiss", type=source.type, items=count)
        begin_again(source.type)


def _apply(changes: list[Change], *, again: bool = False) -> None:
    for begin in range(0, len(changes), AT_ONCE):
        applying.apply(changes[begin : begin + AT_ONCE], again=again)


def _page(service: Service, moment: int, after: str) -> clients.Told:
    return clients.changes_since(service=service.name, moment=moment, after=after, limit=PAGE, seconds=READ_SECONDS)
