"""Asks services something, each in a process of its own, forked from one that has imported what all of them need.

That is how the runner starts them, too. To import it anew for each would take most of the time.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from shopkit import entry
from shopkit.config import ROOT
from shopkit.runner.preload import preload

AT_ONCE = 2


def ask(services: Iterable[str], what: Callable[[str], Any], environment: Mapping[str, str] = {}) -> dict[str, Any]:
    """By service, what a function of some module gives there, as it comes out of JSON."""
    command = [sys.executable, "-m", "tests.each_service", what.__module__, what.__name__, *services]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(module: str, function: str, *services: str) -> None:
    preload()
    import_module(module)
    with multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        answers = pool.starmap(_answer, [(module, function, service) for service in services], chunksize=1)
    print(json.dumps(dict(zip(services, answers, strict=True))))


def _answer(module: str, function: str, service: str) -> Any:
    """In a process that has been no service's yet."""
    entry.use(service)
    return getattr(import_module(module), function)(service)


if __name__ == "__main__":
    main(*sys.argv[1:])
