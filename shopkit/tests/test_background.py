"""What a worker's tasks and ticks are made of."""

import threading

import pytest

from shopkit import background, sweeper
from shopkit.sweeper import Sweep

PATIENCE = 10.0


def test_a_sweep_that_waits_for_a_peer_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    other_ran, waited = threading.Event(), []
    waits = Sweep(lambda: waited.append(other_ran.wait(PATIENCE)), every=1, woken=True)
    other = Sweep(other_ran.set, every=1, woken=True)
    monkeypatch.setattr(sweeper, "declared", lambda service: (waits, other))
    [both] = background.ticks("order_service")
    both.run()
    assert waited == [True]


def test_what_is_woken_or_done_often_takes_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def sweep(every: float, *, woken: bool = False) -> Sweep:
        return Sweep(lambda: None, every=every, woken=woken)

    several = (sweep(1), sweep(1), sweep(3), sweep(5), sweep(5, woken=True), sweep(60))
    monkeypatch.setattr(sweeper, "declared", lambda service: several)
    ticks = [(tick.every, tick.woken) for tick in background.ticks("order_service")]
    assert ticks == [(1, False), (3, False), (5, True)]
    assert background.tasks("order_service").keys() == {"every_5_s", "every_60_s"}
    assert background.schedule("order_service").keys() == {"every_5_s", "every_60_s", background.HEARTBEAT}
