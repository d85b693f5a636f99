"""Sweeps: each in its time, one's failure being nobody else's, and an end that does not wait."""

import threading

from structlog.testing import capture_logs

from shopkit.sweeper import Sweep, Sweeper, declared

PATIENCE = 10


def test_a_sweep_that_fails_is_logged_and_tried_again_and_stops_no_other() -> None:
    failures, other = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        failures.release()
        raise ValueError

    sweeper = Sweeper([Sweep(fail, every=0.01), Sweep(other.release, every=0.01)])
    with capture_logs() as logs:
        sweeper.start()
        assert all(each.acquire(timeout=PATIENCE) for each in [failures, other] * 3)
        sweeper.stop()
    assert {entry["event"] for entry in logs} == {"sweep failed"}
    assert logs[0]["sweep"].endswith("fail")


def test_only_what_asks_for_it_is_woken() -> None:
    woken, unwoken = threading.Semaphore(0), threading.Semaphore(0)
    sweeper = Sweeper([Sweep(unwoken.release, every=3600), Sweep(woken.release, every=3600, woken=True)])
    sweeper.start()
    for _ in range(3):
        assert woken.acquire(timeout=PATIENCE)
        sweeper.wake()
    assert woken.acquire(timeout=PATIENCE)
    sweeper.stop()
    assert unwoken.acquire(blocking=False)
    assert not unwoken.acquire(blocking=False)


def test_a_sweep_that_hangs_does_not_hold_up_the_end() -> None:
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait()

    sweeper = Sweeper([Sweep(hang, every=3600)])
    sweeper.start()
    assert begun.wait(PATIENCE)
    sweeper.stop()  # comes back although the sweep does not
    assert not release.is_set()
    release.set()


def test_a_service_without_tasks_has_nothing_to_sweep() -> None:
    assert declared("gateway") == ()
