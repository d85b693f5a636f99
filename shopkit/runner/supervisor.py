"""Starts the fleet, waits until it is ready, restarts what dies, and ends it all."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from shopkit import server, topology, worker
from shopkit.healthcheck import is_ready
from shopkit.runner import state
from shopkit.runner.errors import RunnerError
from shopkit.runner.process import WATCHED, Process
from shopkit.runner.stores import STORES

START_SECONDS = 60.0  # a fleet that is not ready by then says so
STOP_SECONDS = 8.0  # then what is left is killed
STEADY_SECONDS = 10.0  # one that lived this long is restarted at once when it dies
MAX_PAUSE = 2.0  # seconds between restarts of one that keeps dying
Say = Callable[[str], None]


class Supervisor:
    """The runner's processes: stores first, then services and workers. Signals come one at a time: nothing races."""

    def __init__(self, *, data: Path, environment: dict[str, str], say: Say) -> None:
        self.data, self.environment, self.say = data, environment, say
        self.processes: list[Process] = []
        self.due: list[tuple[float, Process]] = []
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)

    def start(self, processes: Iterable[Process]) -> None:
        for process in processes:
            process.start()
            self.processes.append(process)
        self._write()

    def wait_until(self, ready: Callable[[Process], bool], waited: list[Process]) -> bool:
        """Until each is ready, looking after the others meanwhile; False when a signal ended it."""
        left, deadline = list(waited), time.monotonic() + START_SECONDS
        while left:
            if not self.tick(0.1):
                return False
            for process in [each for each in left if ready(each)]:
                left.remove(process)
                self.say(f"  {process.name} is ready ({len(waited) - len(left)} of {len(waited)})")
            self._give_up(left, deadline)
        return True

    def _give_up(self, left: list[Process], deadline: float) -> None:
        dying = [process for process in left if process.deaths >= 3]
        if dying or (left and time.monotonic() > deadline):
            names = ", ".join(process.name for process in dying or left)
            raise RunnerError(f"{names} did not start; {self.data / 'logs'} says why:\n{_tail((dying or left)[0].log)}")

    def tick(self, seconds: float) -> bool:
        """Takes one signal, or waits that long or until a restart is due; False for a signal that ends the fleet."""
        next_due = min((moment - time.monotonic() for moment, _process in self.due), default=seconds)
        received = signal.sigtimedwait(WATCHED, max(0.0, min(seconds, next_due)))
        if received and received.si_signo != signal.SIGCHLD:
            return False
        self._bury()
        now = time.monotonic()
        for moment, process in [entry for entry in self.due if entry[0] <= now]:
            self.due.remove((moment, process))
            process.start()
            self._write()
        return True

    def is_told_to_end(self) -> bool:
        """Whether a signal that ends the fleet waits to be taken."""
        return bool(signal.sigpending() & (WATCHED - {signal.SIGCHLD}))

    def _bury(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                for process in self.processes:
                    if process.pid == ended[0]:
                        self._restart(process, os.waitstatus_to_exitcode(ended[1]))

    def _restart(self, process: Process, code: int) -> None:
        process.signal(signal.SIGKILL)  # workers that outlived their leader would keep its port
        steady = time.monotonic() - process.started > STEADY_SECONDS
        process.deaths = 1 if steady else process.deaths + 1
        pause = min(0.1 * 2 ** (process.deaths - 1), MAX_PAUSE)
        self.say(f"  {process.name} ended ({code}); starting it again")
        self.due.append((time.monotonic() + pause, process))

    def stop(self) -> None:
        """Ends the workers and services, then the stores; whatever has not ended in time is killed."""
        deadline = time.monotonic() + STOP_SECONDS
        stores = [process for process in self.processes if process.name in STORES]
        others = [process for process in self.processes if process not in stores]
        for group in (others, stores):
            for process in group:
                process.stop()
            while group and any(_alive(process) for process in group) and time.monotonic() < deadline:
                signal.sigtimedwait({signal.SIGCHLD}, 0.1)
        for process in self.processes:
            process.signal(signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, 0)  # its own alone: whoever started the runner may have left it other children
        state.state_file(self.data).unlink(missing_ok=True)

    def _write(self) -> None:
        processes = {process.name: {"pid": process.pid, "port": process.port} for process in self.processes}
        state.write(self.data, state.State(os.getpid(), self.environment, processes))


def _alive(process: Process) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(process.pid, os.WNOHANG)[0] == 0
    return False


def service_process(service: topology.Service, data: Path) -> Process:
    """A service as a child of the runner: its tables brought up to date, then served."""
    target = lambda: server.main([service.name, "--migrate"])  # noqa: E731
    return Process(service.name, service.listen_port, target, data / "logs" / f"{service.name}.log")


def worker_process(service: topology.Service, data: Path) -> Process:
    """A service's worker, which listens nowhere."""
    name = f"{service.name}_worker"
    return Process(name, 0, lambda: worker.main([service.name]), data / "logs" / f"{name}.log")


def listens(process: Process) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", process.port), timeout=0.5):
        return True
    return False


def answers_ready(process: Process) -> bool:
    return is_ready(topology.service(process.name))


def check_ports(processes: Iterable[Process]) -> None:
    """`RunnerError` for the first port that somebody else listens on."""
    for process in processes:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", process.port))
            except OSError as error:
                raise RunnerError(
                    f"Port {process.port}, which {process.name} needs, can't be used ({error.strerror}); "
                    "end what listens there, or set SHOP_PORT_OFFSET to move the whole fleet."
                ) from None


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(it wrote nothing)"
