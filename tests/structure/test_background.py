"""What services declare to do by themselves, held against what workers do by Celery's beat and by their own clock."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from shopkit import topology
from shopkit.config import ROOT

WITH_WORKER = [service.name for service in topology.SERVICES.values() if service.worker]
SAY = """
import json, sys
from shopkit import background, entry, sweeper
entry.use(sys.argv[1])
import django
django.setup()
service = sys.argv[1]
app = background.app(service, answer_within=1)
beat = {each["task"]: each["schedule"] for each in background.schedule(service).values()}
tasks, ticks = background.tasks(service), background.ticks(service)
done = []

def noted(kind, every, run):
    sweeper.do = lambda sweep: done.append([sweep.name, kind, every])
    run()

for name, run in tasks.items():
    noted("task", beat[name], run)
for tick in ticks:
    noted("woken" if tick.woken else "tick", tick.every, tick.run)
print(json.dumps({
    "sweeps": [[each.name, each.every, each.woken] for each in sweeper.declared(service) if not each.everywhere],
    "done": sorted(done),
    "beat": beat,
    "tasks": sorted(tasks),
    "accepts": list(app.conf.accept_content),
    "queue": app.conf.task_default_queue,
    "results": app.conf.result_backend,
}))
"""


def said(service: str) -> dict[str, Any]:
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", SAY, service], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def kind(every: float, woken: bool) -> str:
    """How a worker comes to do it: when somebody writes, by its own clock, or by a task of the beat's."""
    if woken:
        return "woken"
    return "tick" if every < 5 else "task"


@pytest.mark.parametrize("service", WITH_WORKER)
def test_each_sweep_of_a_service_is_a_task_of_its_beat_or_done_by_the_worker_itself(service: str) -> None:
    found = said(service)
    assert found["done"] == sorted([name, kind(every, woken), every] for name, every, woken in found["sweeps"])
    assert set(found["beat"]) == {*found["tasks"], "heartbeat"}
    assert found["beat"]["heartbeat"] == 3.0
    assert (found["accepts"], found["queue"], found["results"]) == (["json"], f"polyshop.{service}", None)
