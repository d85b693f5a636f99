"""What every item service does by itself: gives back holds whose time is up, and writes the stock log."""

from shopkit.items import stock
from shopkit.sweeper import Sweep

SWEEPS = (Sweep(stock.release_expired, every=5), Sweep(stock.write_log, every=3))
