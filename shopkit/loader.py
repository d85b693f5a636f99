"""Loads the sample data into a running fleet: `python -m shopkit.loader [SERVICE …]`. What is there stays as it is."""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import requests

from shopkit import topology
from shopkit.config import ROOT, config
from shopkit.runner import state

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
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (service, line) in enumerate(zip(chosen, pool.map(_load, chosen), strict=True), 1):
            say(f"  {service.name:<20} {line} ({number} of {len(chosen)})")


def fixture_exists(service: topology.Service) -> bool:
    return (ROOT / "fixtures" / f"{service.name}.json").exists()


def _load(service: topology.Service) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), service.name, "load_initial_data"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"ended with {done.returncode}").splitlines()
        raise LoadError(f"{service.name}: {said[-1]}")
    return done.stdout.strip()


def find_stores() -> None:
    """Puts where the running fleet has its stores into this process's environment."""
    if running := state.read(config().data.resolve()):
        os.environ.update(running.environment)


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
        load_all(services=services)
    except LoadError as error:
        sys.exit(f"load_initial_data: {error}")


if __name__ == "__main__":
    main()
