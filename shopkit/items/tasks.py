"""What every item service does by itself: gives holds back, writes the stock log, tells of low stock."""

from shopkit.items import low_stock, stock
from shopkit.sweeper import Sweep

SWEEPS = (Sweep(stock.release_expired, every=5), Sweep(stock.write_log, every=3), Sweep(low_stock.look, every=5))
