"""`make test`: every stage, some at a time, and one line for each: how long it took, and how much CPU.

`python -m tests NAME …` runs only the stages whose name contains one of these.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from shopkit import topology
from tests import on_servers

PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=short"]
SIMULATION = [sys.executable, "-m", "tests.behind", *PYTEST, "-n", "2", "order_service/tests/test_simulation.py"]
PARTS = ("killing", "open_fleet", "own_fleet", "secure_fleet")  # of the end-to-end tests: tests/e2e/conftest.py
BUSY = "4"  # how many times longer than promised what a fleet does may take, beside another stage
TAIL = 60  # lines of a failed stage's output
LIMIT_SECONDS = 2400
AT_ONCE = 3  # one more than there are cores on a small machine, as one of them often waits


@dataclass(frozen=True)
class Stage:
    """One command. Those on the same `ports` take turns; what is `behind` has the CPU that all others leave, from the
    first to the last."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    ports: str = ""
    behind: bool = False


@dataclass(frozen=True)
class Outcome:
    stage: Stage
    code: int
    output: str
    seconds: float
    cpu_seconds: float

    def counted(self, word: str) -> int:
        """How many tests pytest counted as that, or for a stage that is no pytest run, whether it passed."""
        counts = re.findall(rf"(\d+) {word}", "\n".join(self.output.splitlines()[-3:]))
        if counts or self.stage.command[: len(PYTEST)] == PYTEST:
            return int(counts[-1]) if counts else 0
        return int((word == "passed") == (self.code == 0)) if word != "skipped" else 0


def stages() -> list[Stage]:
    """What is soon done, then what takes longest, so that nothing long is left for the end."""
    python = sys.executable
    return [
        Stage("lint", [python, "-m", "ruff", "check", "."]),
        Stage("format", [python, "-m", "ruff", "format", "--check", "."]),
        Stage("types", [python, "-m", "mypy", "."]),
        Stage("imports", [str(Path(python).with_name("lint-imports"))]),
        *(_end_to_end(on, part) for part in PARTS for on in ("embedded", "servers")),
        Stage("shopkit", [*PYTEST, "shopkit"], {"SHOP_SERVICE": "book_service"}),
        *(Stage(f"{name} on its server", [python, "-m", "tests.on_servers", name]) for name in on_servers.SUITES),
        *(Stage(name, [*PYTEST, name], {"SHOP_SERVICE": name}) for name in topology.SERVICES),
        Stage("structure", [*PYTEST, "tests/structure"]),
        Stage("outbox", [*PYTEST, "shopkit/outbox"], {"SHOP_SERVICE": "registered_customer"}),
        Stage("contracts", [*PYTEST, "tests/contracts"]),
        Stage(
            "simulation",
            SIMULATION,
            {"SHOP_SIMULATION_SEEDS": os.environ.get("SHOP_SIMULATION_SEEDS", "500")},
            behind=True,
        ),
    ]


def _end_to_end(on: str, part: str) -> Stage:
    environment = {"SHOP_TEST_STORES": on, "SHOP_TEST_BUSY": BUSY}
    return Stage(f"e2e on {on}, {part}", [*PYTEST, "tests/e2e", "-m", part], environment, ports=part)


def run(stage: Stage) -> Outcome:
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **stage.env}  # or each process compiles all of it anew
        process = subprocess.Popen(stage.command, env=env, stdout=output, stderr=subprocess.STDOUT)
        limit = threading.Timer(LIMIT_SECONDS, process.kill)
        limit.start()
        _pid, status, used = os.wait4(process.pid, 0)  # which says what it and its children took, unlike `wait`
        limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        seconds, cpu_seconds = time.monotonic() - start, used.ru_utime + used.ru_stime
        outcome = Outcome(stage, process.returncode, output.read(), seconds, cpu_seconds)
    report(outcome)
    return outcome


def report(outcome: Outcome) -> None:
    """Of the CPU, not what it let go took, such as PostgreSQL."""
    lines = outcome.output.strip().splitlines() or ["It said nothing."]
    took = f"{outcome.seconds:6.1f} s, {outcome.cpu_seconds:6.1f} s of CPU"
    print(f"{'ok  ' if outcome.code == 0 else 'FAIL'} {outcome.stage.name:<32} {took}  {lines[-1][:90]}")
    named = ("FAILED", "ERROR", "SKIPPED")
    told = [line[:200] for line in lines if line.startswith(named)] + (lines[-TAIL:] if outcome.code else [])
    for line in told:
        print(f"     {line}")
    sys.stdout.flush()


def chosen_by(wanted: list[str]) -> list[Stage]:
    """Those whose name contains one of these words, all if there are none; `SystemExit` for a word that none has."""
    everything = stages()
    names = [stage.name for stage in everything]
    if unknown := [word for word in wanted if not any(word in name for name in names)]:
        raise SystemExit(f"No stage is called {', '.join(unknown)}; there are: {', '.join(names)}.")
    return [stage for stage in everything if not wanted or any(word in stage.name for word in wanted)]


def in_turns(chosen: list[Stage]) -> list[list[Stage]]:
    """All that may run beside each other, each a list of what may not."""
    turns: dict[str, list[Stage]] = {}
    for stage in chosen:
        turns.setdefault(stage.ports or stage.name, []).append(stage)
    return list(turns.values())


def main(wanted: list[str]) -> int:
    chosen = chosen_by(wanted)
    turns = in_turns([stage for stage in chosen if not stage.behind])
    with ThreadPoolExecutor() as meanwhile, ThreadPoolExecutor(AT_ONCE) as pool:
        behind = meanwhile.map(run, [stage for stage in chosen if stage.behind])
        outcomes = [outcome for turn in pool.map(lambda turn: [*map(run, turn)], turns) for outcome in turn]
        outcomes += behind
    passed, failed, skipped = (sum(each.counted(word) for each in outcomes) for word in ("passed", "failed", "skipped"))
    broken = [each.stage.name for each in outcomes if each.code]
    print(f"\n{passed} passed, {max(failed, len(broken))} failed, {skipped} skipped")
    if skipped and os.environ.get("CI") == "true":
        print("CI is true, so what was skipped counts as failed.")
    return 1 if broken or not chosen or (skipped and os.environ.get("CI") == "true") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
