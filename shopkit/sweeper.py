"""What a service does by itself, again and again: its `SWEEPS` and its outbox, in one thread of each worker process."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module, util

import structlog

log = structlog.get_logger()
STOP_SECONDS = 0.5


@dataclass(frozen=True)
class Sweep:
    """`run` is idempotent, and safe in several processes at once. `woken`: also as soon as `wake` is called."""

    run: Callable[[], object]
    every: float  # seconds
    woken: bool = False


class Sweeper:
    """Runs sweeps in a thread of its own until it is stopped."""

    def __init__(self, sweeps: Iterable[Sweep]) -> None:
        self._due = {sweep: time.monotonic() for sweep in sweeps}
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Waits for a sweep that is at work, but not for long: each can be interrupted anywhere."""
        self._stopping = True
        self._wake.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(max(0.0, min(self._due.values()) - time.monotonic()))
            woken = self._wake.is_set()
            self._wake.clear()
            for sweep in self._due:
                if not self._stopping and (self._due[sweep] <= time.monotonic() or (woken and sweep.woken)):
                    self._sweep(sweep)

    def _sweep(self, sweep: Sweep) -> None:
        from django.db import close_old_connections

        try:
            close_old_connections()
            sweep.run()
        except Exception:  # the next time may be better, and the other sweeps have nothing to do with it
            log.exception("sweep failed", sweep=f"{sweep.run.__module__}.{sweep.run.__qualname__}")
        finally:
            close_old_connections()
            self._due[sweep] = time.monotonic() + sweep.every


_running: Sweeper | None = None


def declared(service: str) -> tuple[Sweep, ...]:
    """The service's own sweeps and, if it has an outbox, that one's; none without a `tasks` module."""
    if util.find_spec(f"{service}.tasks") is None:
        return ()
    from django.apps import apps

    own: tuple[Sweep, ...] = getattr(import_module(f"{service}.tasks"), "SWEEPS", ())
    outbox = import_module("shopkit.outbox.sweeps").SWEEPS if apps.is_installed("shopkit.outbox") else ()
    return (*own, *outbox)


def after_migrating(service: str) -> tuple[Callable[[], object], ...]:
    """What the service does at a start, once its tables are up to date; each may be repeated."""
    if util.find_spec(f"{service}.tasks") is None:
        return ()
    do: tuple[Callable[[], object], ...] = getattr(import_module(f"{service}.tasks"), "AFTER_MIGRATING", ())
    return do


def start(service: str) -> None:
    """Once in a worker process, after its fork and with its application loaded."""
    global _running
    if sweeps := declared(service):
        _running = Sweeper(sweeps)
        _running.start()


def wake() -> None:
    """Has this process's courier look at once; where there is none, another process's finds it within a second."""
    if _running:
        _running.wake()


def stop() -> None:
    if _running:
        _running.stop()
