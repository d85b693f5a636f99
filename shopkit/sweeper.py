"""What a service does by itself, again and again: its `SWEEPS` and its outbox.

A worker does it (`shopkit/worker.py`), if one is there; a thread in each process that serves does it, if none is.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module, util
from typing import Protocol

import structlog

log = structlog.get_logger()
STOP_SECONDS = 0.5
LEFT_SECONDS = 3.0  # until what was left to a worker is looked at again: asking whether it lives costs as much


@dataclass(frozen=True)
class Sweep:
    """`run` is idempotent, and safe in several processes at once. `woken`: also as soon as `wake` is called.

    `everywhere`: each process that serves does it, whoever does the others, for it is about that process.
    """

    run: Callable[[], object]
    every: float  # seconds
    woken: bool = False
    everywhere: bool = False

    @property
    def name(self) -> str:
        return f"{self.run.__module__}.{self.run.__qualname__}"


class Worker(Protocol):
    """Who may do the sweeps instead; nothing here raises, or takes long."""

    def is_alive(self) -> bool: ...
    def nudge(self) -> bool:
        """Has it do what is `woken`; whether it is alive, and was told."""


class Wakeable(Protocol):
    def wake(self) -> None: ...


class Sweeper:
    """Runs sweeps in a thread of its own until it is stopped; with a worker alive, only those for `everywhere`."""

    def __init__(self, sweeps: Iterable[Sweep], worker: Worker | None = None) -> None:
        self._due = {sweep: time.monotonic() for sweep in sweeps}
        self._worker = worker
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        if self._due:
            self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Waits for a sweep that is at work, but not for long: each can be interrupted anywhere."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(max(0.0, min(self._due.values()) - time.monotonic()))
            woken = self._wake.is_set()
            self._wake.clear()
            left_to_worker = self._worker is not None and self._leave(woken, self._worker)
            for sweep in self._due:
                if not self._stopping and (self._due[sweep] <= time.monotonic() or (woken and sweep.woken)):
                    self._sweep(sweep, skip=left_to_worker and not sweep.everywhere)

    def _leave(self, woken: bool, worker: Worker) -> bool:
        """Whether the worker does what is to be done now."""
        return worker.nudge() if woken else worker.is_alive()

    def _sweep(self, sweep: Sweep, *, skip: bool) -> None:
        if not skip:
            do(sweep)
        self._due[sweep] = time.monotonic() + (max(sweep.every, LEFT_SECONDS) if skip else sweep.every)


def do(sweep: Sweep) -> None:
    """One run of it, which fails alone."""
    from django.db import close_old_connections

    try:
        close_old_connections()
        sweep.run()
    except Exception:  # the next time may be better, and the other sweeps have nothing to do with it
        log.exception("sweep failed", sweep=sweep.name)
    finally:
        close_old_connections()


_running: Wakeable | None = None


def has_work(service: str) -> bool:
    """Whether the service declares work of its own, in a `tasks` module."""
    return util.find_spec(f"{service}.tasks") is not None


def declared(service: str) -> tuple[Sweep, ...]:
    """The service's own sweeps and, if it has an outbox, that one's; none without a `tasks` module."""
    if not has_work(service):
        return ()
    from django.apps import apps

    own: tuple[Sweep, ...] = getattr(import_module(f"{service}.tasks"), "SWEEPS", ())
    outbox = import_module("shopkit.outbox.sweeps").SWEEPS if apps.is_installed("shopkit.outbox") else ()
    return (*own, *outbox)


def after_migrating(service: str) -> tuple[Callable[[], object], ...]:
    """What the service does at a start, once its tables are up to date; each may be repeated."""
    if not has_work(service):
        return ()
    do: tuple[Callable[[], object], ...] = getattr(import_module(f"{service}.tasks"), "AFTER_MIGRATING", ())
    return do


def start(service: str, worker: Worker | None = None) -> None:
    """Once in a process that serves, after its fork and with its application loaded."""
    if sweeps := declared(service):
        sweeper = Sweeper(sweeps, worker)
        wakes(sweeper)
        sweeper.start()


def wakes(running: Wakeable | None) -> None:
    """Says whom `wake` wakes in this process."""
    global _running
    _running = running


def wake() -> None:
    """Has what was just written looked at, at once; where nobody can be woken, it is found within a second."""
    if _running:
        _running.wake()


def stop() -> None:
    if isinstance(_running, Sweeper):
        _running.stop()
