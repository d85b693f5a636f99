"""Writes that pass through: the item's new state is in the catalogue before whoever wrote it has their answer."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from items_router import clients
from items_router.catalogue import applying
from shopkit.answer import CLIENT_GONE
from shopkit.hygiene import Headers

SECONDS = 1.0  # that the answer may be held back; after that, the event or the pull brings it
log = structlog.get_logger()


def learning(service: str, item_id: str | None) -> Callable[[int, Headers], Awaitable[None]]:
    """What is to be done with the answer to a write of that item; without an id, of the one that `Location` names."""

    async def then(status: int, headers: Headers) -> None:
        written = item_id or _made(headers)
        if not 400 <= status < CLIENT_GONE and written:
            try:
                await asyncio.wait_for(asyncio.to_thread(learn, service, written), SECONDS)
            except Exception as error:  # the write is done, and its answer true, whatever became of the catalogue
                log.warning("written, not yet listed", item=written, error=type(error).__name__)

    return then


def learn(service: str, item_id: str) -> None:
    """Takes over the item's state from its service."""
    applying.apply(clients.changes_of(service=service, ids=[item_id], seconds=SECONDS).changes)


def _made(headers: Headers) -> str | None:
    location = next((value for name, value in headers if name == b"location"), b"")
    return location.decode("latin-1").strip("/").rpartition("/")[2] or None
