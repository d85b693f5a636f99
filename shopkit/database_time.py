"""The one clock that a service's processes share, for leases and deadlines: their database's.

A machine's own may be minutes off; then what one process put off for a second would wait for minutes with another.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

ASKED_EVERY = 10.0  # seconds
NEGLIGIBLE = timedelta(seconds=1)
_SQL = {
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}
_known = (timedelta(), 0.0)  # how far the database is ahead, and until when that counts


def now() -> datetime:
    """The database's time, to a second; it is asked every ten seconds, and this machine's clock says the rest."""
    global _known
    ahead, until = _known
    if until < time.monotonic():
        ahead = _asked() - timezone.now()
        ahead = ahead if abs(ahead) > NEGLIGIBLE else timedelta()
        _known = (ahead, time.monotonic() + ASKED_EVERY)
    return timezone.now() + ahead


def _asked() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(_SQL[connection.vendor])
        said = cursor.fetchone()[0]
    at = said if isinstance(said, datetime) else datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
