"""A real fleet for the end-to-end tests: the runner as its own process, a folder and ports of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from shopkit import topology
from shopkit.config import ROOT
from shopkit.runner import state
from tests.waiting import at_most, wait_for

START_SECONDS = 300.0  # until a whole fleet with its sample data must run, while others start beside it


@dataclass
class Fleet:
    """A fleet that runs. `url("gateway")` is where a service listens; `process` is its runner."""

    process: subprocess.Popen[bytes]
    data: Path
    offset: int
    environment: dict[str, str]
    output: Path

    def port(self, name: str) -> int:
        return topology.service(name).port + self.offset

    def url(self, name: str = "gateway") -> str:
        return f"http://localhost:{self.port(name)}"

    def call(self, method: str, path: str, *, at: str = "gateway", **more: object) -> requests.Response:
        more.setdefault("timeout", 20)
        with requests.Session() as once:
            once.trust_env = False  # no proxy or .netrc is asked about this machine, which takes a third of a call
            return once.request(method, self.url(at) + path, **more)  # type: ignore[arg-type]

    def get(self, path: str, *, at: str = "gateway", **more: object) -> requests.Response:
        return self.call("GET", path, at=at, **more)

    def names(self) -> list[str]:
        """All that runs: stores, services and workers."""
        running = state.read(self.data)
        assert running
        return list(running.processes)

    def pid(self, name: str) -> int:
        """The process that leads a service or a store."""
        running = state.read(self.data)
        assert running
        return running.processes[name]["pid"]

    def workers(self, name: str) -> list[int]:
        """The processes that serve, below the one that leads."""
        children = Path(f"/proc/{self.pid(name)}/task/{self.pid(name)}/children").read_text()
        return [int(pid) for pid in children.split()]

    def wait_ready(self, name: str) -> None:
        def ready() -> bool:
            with contextlib.suppress(requests.RequestException):
                return self.get("/health/ready", at=name).ok
            return False

        wait_for(ready)

    @contextlib.contextmanager
    def hanging(self, name: str) -> Iterator[None]:
        """Stops a service or a store in its tracks, workers and all, until the block ends."""
        leader = self.pid(name)
        os.killpg(leader, signal.SIGSTOP)
        try:
            wait_for(lambda: _stands_still(leader))
            yield
        finally:
            os.killpg(leader, signal.SIGCONT)

    def log(self, name: str) -> list[dict[str, Any]]:
        """What a service has logged so far; lines that are no JSON, such as a store's own, are left out."""
        found = []
        for line in (self.data / "logs" / f"{name}.log").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def wait_logged(self, name: str, **fields: object) -> dict[str, Any]:
        """The first line of a service's log in which these fields have these values."""
        found: list[dict[str, Any]] = []

        def logged() -> bool:
            found[:] = [line for line in self.log(name) if fields.items() <= line.items()]
            return bool(found)

        wait_for(logged)
        return found[0]

    def runner(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the runner, on this fleet: `status`, `stop`, …"""
        return runner(*arguments, environment=self.environment)

    def interrupt(self) -> int:
        """Ctrl-C; the runner's exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=at_most(15))


def _stands_still(group: int) -> bool:
    """Whether no thread of a group of processes runs any more: a signal to stop reaches one first, then the others."""
    states = []
    for stat in Path("/proc").glob("[0-9]*/task/*/stat"):
        with contextlib.suppress(OSError):
            state_of, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            states += [state_of] if int(its_group) == group else []
    return set(states) <= {"T", "Z"}


def unheard(path: str) -> str:
    """The same, as nobody has asked it yet, so that the gateway does not answer by itself."""
    return f"{path}{'&' if '?' in path else '?'}asked={uuid.uuid4().hex}"


def environment_of(data: Path, offset: int, more: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment, for a fleet on that folder, without what makes this process some service's."""
    env = {**os.environ, **(more or {}), "SHOP_DATA": str(data), "SHOP_PORT_OFFSET": str(offset)}
    for name in ("SHOP_SERVICE", "DJANGO_SETTINGS_MODULE", "MONGO_DATABASE", "SHOP_LOG_LEVEL"):
        env.pop(name, None)
    return env


def runner(*arguments: str, environment: dict[str, str], root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A command of the runner that is expected to end."""
    command = [sys.executable, "-m", "shopkit.runner", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=90, check=False)


def processes_on(data: Path) -> list[int]:
    """All processes that were started for a fleet on that folder (Linux: by their environment)."""
    mark, found = f"SHOP_DATA={data}".encode(), []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def running(
    data: Path,
    *,
    offset: int,
    environment: dict[str, str] | None = None,
    root: Path = ROOT,
    services: tuple[str, ...] = (),
) -> Iterator[Fleet]:
    """Starts a fleet and waits until it says that it is ready; ends it after."""
    data.mkdir(parents=True, exist_ok=True)
    env = environment_of(data, offset, environment)
    output = data / "runner.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shopkit.runner", "run", *services], cwd=root, env=env, stdout=log, stderr=log
        )
    fleet = Fleet(process, data, offset, env, output)
    try:
        wait_for(lambda: "is ready after" in output.read_text() or process.poll() is not None, seconds=START_SECONDS)
        assert process.poll() is None, output.read_text()
        yield fleet
    finally:
        if process.poll() is None:
            fleet.interrupt()
