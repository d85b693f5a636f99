"""One child process of the runner: forked from a warm parent, in a session of its own, its output in a log file."""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LOG_BYTES = 10 * 1024 * 1024
WATCHED = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@dataclass
class Process:
    """`target` runs in the child and is expected not to return. `port` is where it will listen."""

    name: str
    port: int
    target: Callable[[], object]
    log: Path
    pid: int = 0
    started: float = 0.0
    deaths: int = field(default=0)

    def start(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.started = time.monotonic()
        self.pid = os.fork() or self._become(parent)

    def _become(self, parent: int) -> int:
        """In the child: a new session, its own log, default signals; never returns."""
        try:
            os.setsid()
            _end_with(parent)
            for number in WATCHED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            _write_to(self.log)
            self.target()
        except SystemExit as end:
            _say_why(end)
            os._exit(end.code if isinstance(end.code, int) else 1)
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)

    def signal(self, number: signal.Signals) -> None:
        """To the whole session, so that no worker of it stays behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self) -> None:
        """Asks the leader alone, which tells its workers itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)


def _say_why(end: SystemExit) -> None:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr, flush=True)


def _end_with(parent: int) -> None:
    """Has the kernel end this process when the runner dies, even by kill -9 (Linux only; harmless elsewhere)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _write_to(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.rename(log.with_suffix(".log.1"))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, number)
    os.close(output)
    os.close(nothing)
