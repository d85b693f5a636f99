"""What a worker's tasks are made of."""

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
    background.tasks("order_service")[background.WAKE]()
    assert waited == [True]
