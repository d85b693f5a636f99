"""What the items router asks of the item services."""

from dataclasses import dataclass
from typing import Any

from items_router.catalogue.change import Change
from shopkit import http


@dataclass(frozen=True)
class Told:
    """What an item service says of its items. `now`: ms since 1970, by its clock; `untold`: how many changes wait there
    to be told; `count`: of all its items, where it was asked what has changed since a time."""

    changes: list[Change]
    now: int
    untold: int
    count: int | None


def changes_since(*, service: str, moment: int, after: str, limit: int, seconds: float) -> Told:
    """The next changes after a moment (ms) and an id; see `shopkit.items.feed.since`."""
    return _changes(service, {"since": moment, "after": after, "limit": limit}, seconds)


def changes_of(*, service: str, ids: list[str], seconds: float) -> Told:
    """The present state of these items; of none, only how things stand."""
    return _changes(service, {"ids": ",".join(ids)}, seconds)


def _changes(service: str, params: dict[str, Any], seconds: float) -> Told:
    body = http.call("GET", service, "/internal/changes/", params=params, read_seconds=seconds)
    with http.understanding(service):
        changes = [Change.read(each) for each in body["changes"]]
        return Told(changes, int(body["now"]), int(body["untold"]), body.get("count"))
