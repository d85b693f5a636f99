"""A service's background work on Celery: its sweeps as tasks, their schedule, and how its processes reach its worker.

The database is the truth and Celery only makes it quick: no task carries data, each may run twice, and whatever a
worker does, the processes that serve do themselves while none is at work. What is looked at every few seconds needs no
messages: they would cost more than the look, and a worker can tell the time.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import redis
import structlog
from celery import Celery  # type: ignore[import-untyped]
from redis.backoff import NoBackoff
from redis.retry import Retry

from shopkit import sweeper, topology
from shopkit.config import config
from shopkit.sweeper import Sweep

ASK_SECONDS = 0.1  # for a question about the worker, or a word to it
HEARTBEAT, HEARTBEAT_SECONDS = "heartbeat", 3.0
ALIVE_SECONDS = 15  # since the last one: a worker does one thing at a time, and fifty checkouts take that long
WAKE = "wake"
OFTEN_SECONDS = 5.0  # what is done more often than that is no task
IDLE, TOLD = b"idle", b"told"  # a worker that is alive: no `WAKE` waits for it, or one does
STALE_SECONDS = 5.0  # a task that waited so long in the queue is dropped: by then its like has been sent again
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_threads = ThreadPoolExecutor(4, "sweep")  # kept, and with them their connections
log = structlog.get_logger()


def app(service: str, *, answer_within: float) -> Celery:
    """The service's Celery, with a queue of its own; whoever uses it waits so many seconds for the broker."""
    made = Celery(service, set_as_current=False)
    made.conf.update(
        broker_url=config().redis_url,
        broker_transport_options={
            "socket_timeout": answer_within,
            "socket_connect_timeout": answer_within,
            "max_retries": 1,
            "interval_start": 0,
        },
        broker_connection_retry_on_startup=True,
        task_default_queue=f"polyshop.{service}",
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return made


def shared(service: str) -> tuple[Sweep, ...]:
    """The sweeps that a worker does for all the service's processes."""
    return tuple(sweep for sweep in sweeper.declared(service) if not sweep.everywhere)


def by_period(service: str) -> dict[float, list[Sweep]]:
    """The sweeps of a worker by their seconds; those of one period are done together."""
    found: dict[float, list[Sweep]] = {}
    for sweep in shared(service):
        found.setdefault(sweep.every, []).append(sweep)
    return found


def schedule(service: str) -> dict[str, dict[str, Any]]:
    """Celery's beat: each sweep in its time, first at once, and the heartbeat that says that all of this works."""
    beats = {_name(every): every for every in by_period(service) if every >= OFTEN_SECONDS}
    beats[HEARTBEAT] = HEARTBEAT_SECONDS
    return {
        name: {
            "task": name,
            "schedule": every,
            "last_run_at": _LONG_AGO,
            "options": {"expires": max(every, STALE_SECONDS)},
        }
        for name, every in beats.items()
    }


def tasks(service: str) -> dict[str, Callable[[], None]]:
    """By name: one for the sweeps of each period, and one that does all that is `woken`."""
    periods = by_period(service)
    woken = [sweep for sweeps in periods.values() for sweep in sweeps if sweep.woken]
    timed = {_name(every): _all(sweeps) for every, sweeps in periods.items() if every >= OFTEN_SECONDS}
    return timed | {WAKE: _all(woken)}


def ticks(service: str) -> dict[float, Callable[[], None]]:
    """What is done more often than a task should be, by its seconds."""
    return {every: _all(sweeps) for every, sweeps in by_period(service).items() if every < OFTEN_SECONDS}


def _name(every: float) -> str:
    return f"every_{every:g}_s"


def _all(sweeps: list[Sweep]) -> Callable[[], None]:
    """All of them beside each other, so that none waits until another has heard from its peers."""

    def run() -> None:
        list(_threads.map(sweeper.do, sweeps))

    return run


class RemoteWorker:
    """The service's worker, as its other processes see it, through Redis: by a key, there while it is alive."""

    def __init__(self, service: str) -> None:
        url = config().redis_url
        assert url
        self._key = f"polyshop:worker:{service}"
        self._app = app(service, answer_within=ASK_SECONDS)
        self._redis = redis.Redis.from_url(
            url, socket_timeout=ASK_SECONDS, socket_connect_timeout=ASK_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def is_alive(self) -> bool:
        """Whether its heartbeat has run lately."""
        try:
            return bool(self._redis.exists(self._key))
        except redis.RedisError:
            return False

    def hears(self) -> bool:
        """Whether the broker is there at all."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def nudge(self) -> bool:
        """One `WAKE` that waits does for all; what is lost with it is done in its sweep's own time."""
        try:
            at_once = self._redis.pipeline()
            at_once.get(self._key)
            at_once.set(self._key, TOLD, xx=True, keepttl=True)
            before, _ = at_once.execute()
            if before == IDLE:
                self._app.send_task(WAKE, expires=ALIVE_SECONDS)  # for no longer than its mark can stand
        except Exception as error:  # kombu raises what its transport does; whatever it is, we do it ourselves
            log.warning("worker not told", error=type(error).__name__)
            return False
        return before is not None

    def beat(self) -> None:
        """For the worker: it is alive; and a `WAKE` that was lost is waited for no longer."""
        self._redis.set(self._key, IDLE, ex=ALIVE_SECONDS)

    def heed(self) -> None:
        """For the worker: the `WAKE` waits no more, so who writes from now on has another one sent."""
        self._redis.set(self._key, IDLE, xx=True, keepttl=True)

    def leave(self) -> None:
        """For the worker: it ends."""
        self._redis.delete(self._key)


def worker_of(service: str) -> RemoteWorker | None:
    """None without a broker, or for a service that has none."""
    return RemoteWorker(service) if config().redis_url and topology.service(service).worker else None
