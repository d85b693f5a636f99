"""A service's background work on Celery: its sweeps as tasks, their schedule, and how its processes reach its worker.

The database is the truth and Celery only makes it quick: no task carries data, each may run twice, and whatever a
worker does, the processes that serve do themselves while none is at work. What is looked at every few seconds, or as
soon as something was written, needs no message: that would cost more than the look, and a worker can tell the time.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import redis
from celery import Celery  # type: ignore[import-untyped]
from redis.backoff import NoBackoff
from redis.retry import Retry

from shopkit import sweeper, topology
from shopkit.config import config
from shopkit.sweeper import Sweep

ASK_SECONDS = 0.1  # for a question about the worker, or a word to it
HEARTBEAT, HEARTBEAT_SECONDS = "heartbeat", 3.0
ALIVE_SECONDS = 15  # since the last one: a worker does one thing at a time, and fifty checkouts take that long
OFTEN_SECONDS = 5.0  # what is done more often than that is no task
LISTEN_SECONDS = 5  # a whole number, for which a worker waits for a wake before it asks anew
STALE_SECONDS = 5.0  # a task that waited so long in the queue is dropped: by then its like has been sent again
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_threads = ThreadPoolExecutor(4, "sweep")  # kept, and with them their connections
_NUDGE = """
if redis.call("exists", KEYS[1]) == 0 then return 0 end
if redis.call("exists", KEYS[2]) == 0 then redis.call("rpush", KEYS[2], "") redis.call("expire", KEYS[2], ARGV[1]) end
return 1
"""


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


def schedule(service: str) -> dict[str, dict[str, Any]]:
    """Celery's beat: each task in its time, first at once, and the heartbeat that says that all of this works."""
    beats = {_name(every): every for every, _ in _together(service, tasks=True)}
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
    """By name: one for the sweeps of each period."""
    return {_name(every): _all(sweeps) for (every, _), sweeps in _together(service, tasks=True).items()}


def ticks(service: str) -> tuple[Sweep, ...]:
    """What is done more often than a task should be, or as soon as somebody has written something."""
    groups = _together(service, tasks=False).items()
    return tuple(Sweep(_all(sweeps), every=every, woken=woken) for (every, woken), sweeps in groups)


def _together(service: str, *, tasks: bool) -> dict[tuple[float, bool], list[Sweep]]:
    """The sweeps of a worker by their seconds, and whether they are woken; those of one kind are done together."""
    found: dict[tuple[float, bool], list[Sweep]] = {}
    for sweep in shared(service):
        if tasks == (sweep.every >= OFTEN_SECONDS and not sweep.woken):
            found.setdefault((sweep.every, sweep.woken), []).append(sweep)
    return found


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
        self._key, self._wakes = f"polyshop:worker:{service}", f"polyshop:wakes:{service}"
        self._redis, self._listening = _redis(ASK_SECONDS), _redis(2.0 * LISTEN_SECONDS)

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
        """Whether it is alive; one wake that waits does for all, and what is lost with it is done in its own time."""
        try:
            return bool(self._redis.eval(_NUDGE, 2, self._key, self._wakes, ALIVE_SECONDS))
        except redis.RedisError:
            return False

    def beat(self) -> None:
        """For the worker: it is alive."""
        self._redis.set(self._key, "", ex=ALIVE_SECONDS)

    def wait(self) -> bool:
        """For the worker: whether somebody woke it. It has yet to look, so who writes from now on wakes it again."""
        return self._listening.blpop([self._wakes], LISTEN_SECONDS) is not None

    def leave(self) -> None:
        """For the worker: it ends."""
        self._redis.delete(self._key)


def _redis(answer_within: float) -> redis.Redis:
    url, never = config().redis_url, Retry(NoBackoff(), 0)
    assert url
    return redis.Redis.from_url(url, socket_timeout=answer_within, socket_connect_timeout=ASK_SECONDS, retry=never)


def worker_of(service: str) -> RemoteWorker | None:
    """None without a broker, or for a service that has none."""
    return RemoteWorker(service) if config().redis_url and topology.service(service).worker else None
