"""What the items router does by itself: keeps whom what interests, and rebuilds what it recommends."""

from items_router.recommending import rebuilding, seen
from shopkit.sweeper import Sweep

SWEEPS = (Sweep(seen.write, every=2, everywhere=True), Sweep(rebuilding.look_after, every=10))
