"""What every item service does by itself: gives holds back, writes the stock log, tells of low stock and of changes."""

from shopkit.items import feed, low_stock, stock, tombstones
from shopkit.sweeper import Sweep

SWEEPS = (
    Sweep(stock.release_expired, every=5),
    Sweep(stock.write_log, every=3),
    Sweep(low_stock.look, every=5),
    Sweep(feed.tell, every=0.5),
    Sweep(tombstones.settle, every=5),
    Sweep(tombstones.forget_old, every=3600),
)
