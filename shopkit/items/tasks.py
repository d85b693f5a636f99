"""What every item service does by itself: with stock, with changes to tell of, with reviews and likes left uncounted,
with files left over."""

from shopkit.items import feed, images, low_stock, stock, stock_log, tombstones
from shopkit.items.likes import LIKES
from shopkit.items.reviews import REVIEWS
from shopkit.sweeper import Sweep

SWEEPS = (
    Sweep(stock.release_expired, every=5),
    Sweep(stock_log.write, every=3),
    Sweep(low_stock.look, every=5),
    Sweep(REVIEWS.count_due, every=5),
    Sweep(LIKES.count_due, every=5),
    Sweep(images.forget_orphans, every=24 * 3600),
    Sweep(feed.tell, every=0.5),
    Sweep(feed.tell_purchases, every=3),
    Sweep(tombstones.settle, every=5),
    Sweep(tombstones.forget_old, every=3600),
)
