"""What services declare to do by themselves, held against what workers do by Celery's beat and by their own clock."""

from collections.abc import Callable
from typing import Any

import pytest

from shopkit import topology
from tests import each_service

WITH_WORKER = [service.name for service in topology.SERVICES.values() if service.worker]


def say(service: str) -> dict[str, Any]:
    """In that service's own process."""
    import django

    from shopkit import background, sweeper

    django.setup()
    app = background.app(service, answer_within=1)
    beat = {each["task"]: each["schedule"] for each in background.schedule(service).values()}
    tasks, ticks = background.tasks(service), background.ticks(service)
    done: list[list[Any]] = []

    def noted(kind: str, every: float, run: Callable[[], object]) -> None:
        sweeper.do = lambda sweep: done.append([sweep.name, kind, every])
        run()

    for name, run in tasks.items():
        noted("task", beat[name], run)
    for tick in ticks:
        noted("woken" if tick.woken else "tick", tick.every, tick.run)
    return {
        "sweeps": [[each.name, each.every, each.woken] for each in sweeper.declared(service) if not each.everywhere],
        "done": sorted(done),
        "beat": beat,
        "tasks": sorted(tasks),
        "accepts": list(app.conf.accept_content),
        "queue": app.conf.task_default_queue,
        "results": app.conf.result_backend,
    }


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    return each_service.ask(WITH_WORKER, say, {"REDIS_URL": "redis://127.0.0.1:1/0"})


def kind(every: float, woken: bool) -> str:
    """How a worker comes to do it: when somebody writes, by its own clock, or by a task of the beat's."""
    if woken:
        return "woken"
    return "tick" if every < 5 else "task"


@pytest.mark.parametrize("service", WITH_WORKER)
def test_each_sweep_of_a_service_is_a_task_of_its_beat_or_done_by_the_worker_itself(
    said: dict[str, Any], service: str
) -> None:
    found = said[service]
    assert found["done"] == sorted([name, kind(every, woken), every] for name, every, woken in found["sweeps"])
    assert set(found["beat"]) == {*found["tasks"], "heartbeat"}
    assert found["beat"]["heartbeat"] == 3.0
    assert (found["accepts"], found["queue"], found["results"]) == (["json"], f"polyshop.{service}", None)
