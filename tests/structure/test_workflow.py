"""The workflow can't be run here; that what it asks for is there, can be looked at."""

import re
import shlex
from typing import Any

import pytest
import yaml

from shopkit.config import ROOT
from tests.__main__ import PARTS, Stage, chosen_by, stages
from tests.on_servers import SUITES

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
RUNS = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
STAGES = ".venv/bin/python -m tests "


USES_MONGODB = re.compile(r'usefixtures\("store"\)|\bmongo_url\b|\(ItemServiceTests\)')


def _words() -> list[str]:
    [run] = [run for run in RUNS if run.startswith(STAGES)]
    return shlex.split(run.removeprefix(STAGES))


def test_every_suite_that_has_a_server_runs_on_the_real_one() -> None:
    chosen = {stage.name for stage in chosen_by(_words())}
    assert chosen >= {f"{name} on its server" for name in SUITES}
    assert {"contracts", *(f"e2e on servers, {part}" for part in PARTS)} <= chosen


def test_every_suite_that_uses_mongodb_runs_on_the_real_one() -> None:
    using = {stage.name for stage in stages() if _uses_mongodb(stage)}
    assert using >= {"contracts", "shopkit", "items_router", "book_service"}
    assert using <= {stage.name for stage in chosen_by(_words())}


def _uses_mongodb(stage: Stage) -> bool:
    folder = ROOT / stage.command[-1]
    tests = [*folder.rglob("test_*.py"), *folder.rglob("conftest.py")] if "pytest" in stage.command else []
    return any(USES_MONGODB.search(path.read_text()) for path in tests)


def test_a_stage_that_there_is_not_is_said_so() -> None:
    with pytest.raises(SystemExit, match="No stage is called e2e on the moon; there are: lint, "):
        chosen_by(["lint", "e2e on the moon"])


def test_all_that_it_makes_are_targets() -> None:
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    made = [run.split()[1] for run in RUNS if run.startswith("make ")]
    assert made
    assert set(made) <= targets
