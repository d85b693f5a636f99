"""Loads the sample data into a running fleet: `python -m shopkit.loader [SERVICE …]`. What is there stays as it is."""

import argparse
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from itertools import islice

import requests

from shopkit import entry, topology
from shopkit.config import ROOT, config
from shopkit.runner import preload, state
from shopkit.runner.process import Process

Say = Callable[[str], None]
AT_ONCE = 2
READY_SECONDS = 5


class LoadError(Exception):
    """What could not be loaded, in one sentence."""


def load_all(*, services: Iterable[topology.Service] | None = None, say: Say = print) -> None:
    """Each service's sample data, by its own `load_initial_data` command, with a line for each.

    `LoadError` for the first that fails.
    """
    chosen = [service for service in services or topology.SERVICES.values() if fixture_exists(service)]
    say(f"Loading the sample data of {len(chosen)} services:")
    beginning = map(_begin, chosen)
    begun = deque(islice(beginning, AT_ONCE))
    try:
        for number, service in enumerate(chosen, 1):
            line = _end(begun.popleft(), service)
            begun.extend(islice(beginning, 1))
            say(f"  {service.name:<20} {line} ({number} of {len(chosen)})")
    finally:
        for process in begun:
            process.wait()


def fixture_exists(service: topology.Service) -> bool:
    return (ROOT / "fixtures" / f"{service.name}.json").exists()


def _begin(service: topology.Service) -> Process:
    """In a process of its own, as each service has settings of its own; forked, as it has imported the most by now."""
    log = config().data.resolve() / "logs" / f"{service.name}_loading.log"
    process = Process(f"{service.name}_loading", 0, partial(_load, service), log)
    process.start()
    return process


def _load(service: topology.Service) -> None:
    entry.use(service.name)
    import_module("django").setup()
    import_module("django.core.management").call_command("load_initial_data")
    sys.stdout.flush()
    sys.exit(0)


def _end(process: Process, service: topology.Service) -> str:
    code = process.wait()
    said = process.log.read_text(errors="replace").strip().splitlines() or [f"ended with {code}"]
    if code:
        raise LoadError(f"{service.name}: {said[-1]}")
    return said[-1].strip()


def find_stores() -> None:
    """Puts where the running fleet has its stores into this process's environment."""
    if running := state.read(config().data.resolve()):
        os.environ.update(running.environment)
        config.cache_clear()


def check_running(services: Iterable[topology.Service]) -> None:
    """`LoadError` for the first service that is not ready."""
    for service in services:
        if not _is_ready(service):
            raise LoadError(
                f"{service.name} is not ready at {service.url}; start the fleet with `make run`, then run this again."
            )


def _is_ready(service: topology.Service) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{service.url}/health/ready", timeout=READY_SECONDS).ok
    return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="load_initial_data.sh", description=__doc__)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these")
    names = parser.parse_args().services
    if unknown := set(names) - set(topology.SERVICES):
        parser.error(f"there is no service {', '.join(sorted(unknown))}; there are {', '.join(topology.SERVICES)}")
    services = [topology.service(name) for name in names or topology.SERVICES if topology.service(name).store]
    find_stores()
    try:
        check_running(services)
        preload.preload()
        load_all(services=services)
    except LoadError as error:
        sys.exit(f"load_initial_data: {error}")


if __name__ == "__main__":
    main()
