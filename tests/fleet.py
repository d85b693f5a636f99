"""A real fleet for the end-to-end tests: the runner as its own process, a folder and ports of its own."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from shopkit import topology
from shopkit.config import ROOT
from shopkit.runner import state
from tests.stores import wait_for


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
        return requests.request(method, self.url(at) + path, **more)  # type: ignore[arg-type]

    def get(self, path: str, *, at: str = "gateway", **more: object) -> requests.Response:
        return self.call("GET", path, at=at, **more)

    def pid(self, name: str) -> int:
        """The process that leads a service or a store."""
        running = state.read(self.data)
        assert running
        return running.processes[name]["pid"]

    def workers(self, name: str) -> list[int]:
        """The processes that serve, below the one that leads."""
        children = Path(f"/proc/{self.pid(name)}/task/{self.pid(name)}/children").read_text()
        return [int(pid) for pid in children.split()]

    def wait_ready(self, name: str, seconds: float = 20) -> None:
        def ready() -> bool:
            with contextlib.suppress(requests.RequestException):
                return self.get("/health/ready", at=name).ok
            return False

        wait_for(ready, seconds=seconds)

    def interrupt(self) -> int:
        """Ctrl-C; the runner's exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=15)


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
    env = {**os.environ, **(environment or {}), "SHOP_DATA": str(data), "SHOP_PORT_OFFSET": str(offset)}
    for name in ("SHOP_SERVICE", "DJANGO_SETTINGS_MODULE", "MONGO_DATABASE", "SHOP_LOG_LEVEL"):
        env.pop(name, None)
    output = data / "runner.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shopkit.runner", "run", *services], cwd=root, env=env, stdout=log, stderr=log
        )
    fleet = Fleet(process, data, offset, env, output)
    try:
        wait_for(lambda: "is ready after" in output.read_text() or process.poll() is not None, seconds=120)
        assert process.poll() is None, output.read_text()
        yield fleet
    finally:
        if process.poll() is None:
            fleet.interrupt()
