"""Who looked at which item, noted as requests pass, and written now and then; a crash loses what was not written."""

import time
from collections import deque
from datetime import UTC, datetime

from items_router.recommending import signals
from shopkit.auth import Header, identify
from shopkit.errors import ShopError

MOST = 5000  # noted and not yet written; past that, the oldest are forgotten
_noted: deque[tuple[str, str, float]] = deque(maxlen=MOST)


def note(header: Header, item_id: str) -> None:
    """A customer asked for the item; staff and services look for other reasons than liking it. Never raises."""
    try:
        caller = identify(header)
    except ShopError:
        return  # whoever is asked will refuse it
    if caller.customer_id and not caller.is_staff:
        _noted.append((caller.customer_id, item_id, time.time()))


def write() -> None:
    """Keeps what was noted since the last time."""
    noted = [_noted.popleft() for _ in range(len(_noted))]
    if noted:
        signals.record_views({(customer, item): datetime.fromtimestamp(at, UTC) for customer, item, at in noted})
