"""What the items router does by itself: its catalogue, whom what interests, and what it recommends."""

from items_router import metrics, pulling
from items_router.catalogue import store
from items_router.recommending import rebuilding, seen
from shopkit.sweeper import Sweep

SWEEPS = (
    Sweep(pulling.look_after, every=1, everywhere=True),
    Sweep(metrics.measure, every=5, everywhere=True),
    Sweep(seen.write, every=2, everywhere=True),
    Sweep(rebuilding.look_after, every=10),
)
AFTER_MIGRATING = (store.prepare,)
