"""What services declare to do by themselves, held against what workers do by Celery's beat and by their own clock."""

import json
import os
import subprocess
import sys

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
app = background.app(sys.argv[1], answer_within=1)
print(json.dumps({
    "sweeps": {each.name: each.every for each in sweeper.declared(sys.argv[1]) if not each.everywhere},
    "grouped": {each.name: every for every, group in background.by_period(sys.argv[1]).items() for each in group},
    "beat": {each["task"]: each["schedule"] for each in background.schedule(sys.argv[1]).values()},
    "tasks": sorted(background.tasks(sys.argv[1])),
    "ticks": sorted(background.ticks(sys.argv[1])),
    "accepts": list(app.conf.accept_content),
    "queue": app.conf.task_default_queue,
    "results": app.conf.result_backend,
}))
"""


def said(service: str) -> dict[str, object]:
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-c", SAY, service], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("service", WITH_WORKER)
def test_each_sweep_of_a_service_is_a_task_of_its_beat_or_done_by_the_worker_itself(service: str) -> None:
    found = said(service)
    assert found["grouped"] == found["sweeps"]
    periods = set(found["sweeps"].values())  # type: ignore[attr-defined]
    assert found["ticks"] == sorted(every for every in periods if every < 5)
    tasks = {f"every_{every:g}_s": every for every in periods if every >= 5}
    assert found["beat"] == {**tasks, "heartbeat": 3.0}
    assert found["tasks"] == sorted([*tasks, "wake"])
    assert (found["accepts"], found["queue"], found["results"]) == (["json"], f"polyshop.{service}", None)
