"""What is on disk about a running fleet: a lock that says it runs, and a file that says where."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from shopkit.runner.errors import RunnerError


@dataclass(frozen=True)
class State:
    """The runner's own pid, the environment of its services, and each process's pid and port by name."""

    pid: int
    environment: dict[str, str]
    processes: dict[str, dict[str, int]]


def state_file(data: Path) -> Path:
    return data / "run" / "fleet.json"


def loaded_mark(data: Path) -> Path:
    """There once the sample data has been loaded."""
    return data / "run" / "loaded"


def claim(data: Path) -> int:
    """Takes the data folder for this process, as long as it lives; the lock's file descriptor."""
    try:
        (data / "run").mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "run" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunnerError(
            f"{data} can't be written to ({error.strerror}); set SHOP_DATA to a folder that can."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunnerError(
            f"A fleet is running on {data} already; `make stop` ends it, or set SHOP_DATA and SHOP_PORT_OFFSET "
            "for another."
        ) from None
    return lock


def write(data: Path, state: State) -> None:
    """Whole or not at all."""
    path = state_file(data)
    path.with_suffix(".new").write_text(json.dumps(asdict(state), indent=1))
    path.with_suffix(".new").replace(path)


def read(data: Path) -> State | None:
    """The running fleet; None when none runs on this folder."""
    try:
        lock = claim(data)
    except RunnerError:
        return State(**json.loads(state_file(data).read_text())) if state_file(data).exists() else None
    os.close(lock)
    return None
