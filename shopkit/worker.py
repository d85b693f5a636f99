"""A service's worker: `python -m shopkit.worker NAME`. Celery runs its sweeps, by a beat of its own; a thread beside
it those of every few seconds.

Without a worker nothing is lost; its service's own processes do the same, as soon as its heartbeat is missed.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import redis
import structlog

from shopkit import background, entry, garbage, keys, sweeper, topology
from shopkit.config import ConfigurationError, config
from shopkit.sweeper import Sweeper

BROKER_SECONDS = 5.0
LIMIT_SECONDS = 300.0  # so long without a heartbeat, whatever it waits for, it ends and is started anew
STANDS_BACK = 3  # steps of niceness
DEAF_SECONDS = 30.0  # so long when it waits for nothing: Celery may overlook that its connection was lost
log = structlog.get_logger()


class Work:
    """The tasks and ticks of one worker process, which does one at a time, and the sweeps of one beside each other."""

    def __init__(self, service: str) -> None:
        self._turn = threading.Lock()
        self.remote = background.RemoteWorker(service)
        self.app = background.app(service, answer_within=BROKER_SECONDS)
        self.app.conf.beat_schedule = background.schedule(service)
        self.last_beat = time.monotonic()
        self._at_work = False
        for name, run in (background.tasks(service) | {background.HEARTBEAT: self.beat}).items():
            self.app.task(self._in_turn(run), name=name)
        self.ticker = Sweeper(replace(tick, run=self._in_turn(tick.run)) for tick in background.ticks(service))

    def _in_turn(self, run: Callable[[], object]) -> Callable[[], None]:
        def in_turn() -> None:
            with self._turn:
                self._at_work = True
                try:
                    run()
                finally:
                    self._at_work = False

        return in_turn

    def listen(self) -> None:
        """Has looked at what somebody has written, as soon as they say so."""
        while True:
            try:
                if self.remote.wait():
                    self.ticker.wake()
            except redis.RedisError:
                time.sleep(1)  # it comes back, or the runner starts another

    def beat(self) -> None:
        self.last_beat = time.monotonic()
        with suppress(redis.RedisError):
            self.remote.beat()

    def watch(self) -> None:
        """Ends the process when it is stuck: neither a solo worker's tasks nor its beat have a limit of their own."""
        while not self.is_stuck():
            time.sleep(1)
        log.error("worker stuck", at_work=self._at_work)
        os._exit(1)

    def is_stuck(self) -> bool:
        silent = time.monotonic() - self.last_beat
        deaf = silent > DEAF_SECONDS and not self._at_work and self.remote.hears()
        return deaf or silent > LIMIT_SECONDS


def work(service: topology.Service) -> int:
    """Until a signal ends it; the exit code."""
    _stand_back()
    import django
    from celery.beat import EmbeddedService  # type: ignore[import-untyped]

    django.setup()
    at_work = Work(service.name)
    sweeper.wakes(at_work.ticker)
    beat = EmbeddedService(at_work.app, thread=True, scheduler_cls="celery.beat.Scheduler")
    worker = at_work.app.Worker(
        pool="solo",
        concurrency=1,
        hostname=f"{service.name}@{os.getpid()}",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    beside = [threading.Thread(target=do, name=do.__name__, daemon=True) for do in (at_work.watch, at_work.listen)]
    for thread in (beat, *beside):
        thread.start()
    at_work.ticker.start()
    garbage.settle()
    worker.start()
    at_work.ticker.stop()
    with suppress(redis.RedisError):
        at_work.remote.leave()
    return int(worker.exitcode or 0)


def _stand_back() -> None:
    """Customers wait for services, and nobody for a worker, which gets less while the CPU is not enough for both.

    Linux weighs sessions against each other, by a number of their own, and each process of a fleet is one: sched(7).
    One that was started by hand is of its terminal's, which it leaves as it is.
    """
    os.nice(STANDS_BACK)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(STANDS_BACK))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m shopkit.worker", description=__doc__)
    parser.add_argument("service", choices=sorted(each.name for each in topology.SERVICES.values() if each.worker))
    parser.add_argument("--check", action="store_true", help="only say, by the exit code, whether it is alive")
    given = parser.parse_args(arguments)
    service = entry.use(given.service)
    if not config().redis_url:
        raise ConfigurationError("A worker needs REDIS_URL; without one, the services do their work themselves.")
    if given.check:
        sys.exit(not background.RemoteWorker(service.name).is_alive())
    keys.check()
    sys.exit(work(service))


if __name__ == "__main__":
    main(sys.argv[1:])
