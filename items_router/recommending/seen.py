"""Who looked at which item, noted as requests pass, and written now and then; a crash loses what was not written."""

import threading
from datetime import UTC, datetime

from items_router.recommending import signals
from shopkit.auth import Header, identify
from shopkit.errors import ShopError

MOST = 5000  # noted and not yet written; what comes on top is not noted
_noted: dict[tuple[str, str], datetime] = {}
_lock = threading.Lock()


def note(header: Header, item_id: str) -> None:
    """A customer asked for the item; staff and services look for other reasons than liking it. Never raises."""
    try:
        caller = identify(header)
    except ShopError:
        return  # whoever is asked will refuse it
    if caller.customer_id and not caller.is_staff and (len(_noted) < MOST):
        with _lock:
            _noted[caller.customer_id, item_id] = datetime.now(UTC)


def write() -> None:
    """Keeps what was noted since the last time."""
    with _lock:
        seen = dict(_noted)
        _noted.clear()
    if seen:
        signals.record_views(seen)
