"""Kill -9 of whatever a fleet runs on, a random process at a time; whoever started it starts it again."""

import itertools
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shopkit import topology
from shopkit.runner import state
from tests import stores
from tests.fleet import Fleet
from tests.waiting import wait_for

# These are killed each time, twice those at which a death leaves the most half done; and so many others.
CENTRE = ["order_service", "paying_service", "order_service_worker"] * 2 + ["paying_service_worker"]
LEADERS, SERVING, STORES = 5, 2, 6
Kill = Callable[[], None]


@dataclass
class Killer:
    """Kills by pid. What the runner started, it starts again; a server that the tests started, this does."""

    fleet: Fleet
    dice: random.Random

    def plan(self) -> list[tuple[str, Kill]]:
        """Twenty: services, processes that serve below them, workers, stores and Redis; in an order of chance."""
        others = [name for name in self.running() if name not in (*CENTRE, "mongodb", "redis")]
        leaders = CENTRE + self.dice.sample(others, LEADERS)
        planned: list[tuple[str, Kill]] = [(name, partial(self.leader, name)) for name in leaders]
        for name in self.dice.sample(list(topology.SERVICES), SERVING):
            planned.append((f"{name}'s web worker", partial(self.serving, name)))
        planned += itertools.islice(itertools.cycle(self.stores()), STORES)
        self.dice.shuffle(planned)
        return planned

    def stores(self) -> list[tuple[str, Kill]]:
        """The runner's own, and the servers that were started beside it; those that run elsewhere are left alone."""
        ours = [name for name in ("mongodb", "redis") if name in self.running()]
        found: list[tuple[str, Kill]] = [(name, partial(self.leader, name)) for name in ours]
        for server in stores.RUNNING:
            if server.log.is_relative_to(self.folder):
                found.append((server.command[0], server.kill_and_start))
        return [*found, ("postgres", self.backend)] if self.postmaster.exists() else found

    def running(self) -> list[str]:
        """What the runner looks after."""
        running = state.read(self.fleet.data)
        assert running
        return sorted(running.processes)

    @property
    def postmaster(self) -> Path:
        return self.folder / "postgres" / "postmaster.pid"

    @property
    def folder(self) -> Path:
        return self.fleet.data.parent

    def leader(self, name: str) -> None:
        before = strike(lambda: self.fleet.pid(name))
        wait_for(lambda: self.fleet.pid(name) != before)

    def serving(self, name: str) -> None:
        """One of the processes that gunicorn's master looks after."""
        wait_for(lambda: self.workers(name))
        before = strike(lambda: self.dice.choice(self.workers(name)))
        wait_for(lambda: (now := self.workers(name)) and before not in now)

    def workers(self, name: str) -> list[int]:
        """Empty while there is no master."""
        with suppress(FileNotFoundError):
            return self.fleet.workers(name)
        return []

    def backend(self) -> None:
        """PostgreSQL ends all its connections when one dies like that, and recovers from its log."""
        server = int(self.postmaster.read_text().split()[0])
        wait_for(lambda: children(server, "postgres: postgres"))
        strike(lambda: self.dice.choice(children(server, "postgres: postgres")))


def strike(choose: Callable[[], int]) -> int:
    """Kills the process that is chosen, or who is in its place by then, for it may be dying already; its id."""
    struck: list[int] = []

    def is_struck() -> bool:
        with suppress(ProcessLookupError, IndexError):
            pid = choose()
            os.kill(pid, signal.SIGKILL)
            struck.append(pid)
        return bool(struck)

    wait_for(is_struck)
    return struck[0]


def children(pid: int, program: str) -> list[int]:
    """The children of a process that run this."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    pids = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in pids if program in " ".join(command_of(child)[:1])]


def command_of(pid: int) -> list[str]:
    """Nothing for one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    return []
