"""The outbox's sweeps, in every service that has one: the courier, what it leaves behind, and how much waits."""

from shopkit.outbox import delivery
from shopkit.sweeper import Sweep

SWEEPS = (
    Sweep(delivery.deliver_due, every=1, woken=True),
    Sweep(delivery.look_after, every=15),
    Sweep(delivery.measure, every=15, everywhere=True),
)
