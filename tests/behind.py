"""Runs a command with the CPU that everyone else leaves: `python -m tests.behind COMMAND …`.

Linux weighs sessions against each other first and niceness within them only then, sched(7): the processes of a fleet
are a session each, and the nicest one of this terminal's would take as much as any of them.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

NICEST = 19


def main(command: list[str]) -> int:
    child = subprocess.Popen(["nice", "-n", str(NICEST), *command], start_new_session=True)
    with suppress(OSError):
        Path(f"/proc/{child.pid}/autogroup").write_text(str(NICEST))
    try:
        return child.wait()
    except KeyboardInterrupt:  # which the terminal tells its own session alone
        os.killpg(child.pid, signal.SIGTERM)
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
