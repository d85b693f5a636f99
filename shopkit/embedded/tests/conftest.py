"""A server process of its own for each test, on a free port, over a file in the test's folder."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

Document = dict[str, Any]
_ROOT = Path(__file__).parents[3]


class Server:
    """`python -m shopkit.embedded` over one file; what it logs goes to `log`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.sqlite"
        self.log = folder / "server.log"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> MongoClient[Document]:
        """Returns a client once the server answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(self.port), cwd=_ROOT, stderr=log)
        # Short, because what is under way when the server is killed waits as long for another.
        client = MongoClient[Document]("127.0.0.1", self.port, serverSelectionTimeoutMS=500)
        for _ in range(20):
            with contextlib.suppress(ServerSelectionTimeoutError):
                client.admin.command("ping")
                return client
        raise AssertionError(self.log.read_text())

    def command(self, port: int) -> list[str]:
        return [sys.executable, "-m", "shopkit.embedded", str(port), str(self.path)]

    def run_second(self) -> subprocess.CompletedProcess[str]:
        """Another server over the same file, to its end."""
        return subprocess.run(
            self.command(_free_port()), cwd=_ROOT, capture_output=True, text=True, timeout=10, check=False
        )

    def end(self, number: signal.Signals) -> int:
        """Send the signal and wait; the exit code."""
        assert self._process
        os.kill(self._process.pid, number)
        return self._process.wait(5)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    if server.running:
        server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, MongoClient[Document]]]:
    """One running server, and its client, for the tests of a module that leave it as it was."""
    server = Server(tmp_path_factory.mktemp("shared"))
    with server.start() as client:
        yield server, client
    server.end(signal.SIGTERM)
