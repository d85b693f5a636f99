"""What the items router does by itself: keeps its catalogue up to what the item services have."""

from items_router import metrics, pulling
from items_router.catalogue import store
from shopkit.sweeper import Sweep

SWEEPS = (
    Sweep(pulling.look_after, every=1, everywhere=True),
    Sweep(metrics.measure, every=5, everywhere=True),
)
AFTER_MIGRATING = (store.prepare,)
