"""How much waits in the outbox."""

from prometheus_client import Gauge

PENDING = Gauge("shop_outbox_pending", "Messages that wait to be delivered", multiprocess_mode="mostrecent")
OLDEST = Gauge("shop_outbox_oldest_seconds", "Age of the oldest message that waits", multiprocess_mode="mostrecent")


def measure(pending: int, oldest_seconds: float) -> None:
    PENDING.set(pending)
    OLDEST.set(oldest_seconds)
