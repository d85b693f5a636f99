"""`python -m shopkit.runner run|stop|status|logs|reset`: what the Makefile calls."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shopkit import topology
from shopkit.config import config
from shopkit.runner import preload, report, state, stores, supervisor
from shopkit.runner.errors import RunnerError
from shopkit.runner.process import Process

OURS = ("*.sqlite3", "*.sqlite3-*", "secret_key", "dump.rdb")  # what `reset` deletes, beside the folders below
OUR_FOLDERS = ("gateway", "keys", "logs", "mail", "media", "mongod", "run")


def run(names: list[str]) -> None:
    """Starts the stores and the services, and looks after them until a signal comes."""
    started = time.monotonic()
    data = config().data.resolve()
    state.claim(data)
    offset = _offset()
    store_processes, environment = stores.stores(data=data, offset=offset)
    os.environ.update({**environment, "SHOP_DATA": str(data)})
    config.cache_clear()  # the services, forked from here, read it anew
    services = [topology.service(name) for name in names or topology.SERVICES]
    service_processes = [supervisor.service_process(service, data) for service in services]
    supervisor.check_ports([*store_processes, *service_processes])
    # before anything is imported: a library may take an interrupt for an error of its own, and go on
    fleet = supervisor.Supervisor(data=data, environment=environment, say=report.say)
    report.say(f"Polyshop starts on {data} ({report.store_summary()})")
    preload.preload()
    try:
        fleet.start(store_processes)
        if not fleet.wait_until(supervisor.listens, store_processes):
            return
        fleet.start(service_processes)
        if not fleet.wait_until(supervisor.answers_ready, service_processes):
            return
        if not names:
            load_first_time(data, fleet)
        fleet.start(workers(services, data))
        report.ready(services, time.monotonic() - started)
        while fleet.tick(60):
            pass
    finally:
        report.say("Polyshop is stopping …")
        fleet.stop()
        report.say("Polyshop has stopped.")


def workers(services: list[topology.Service], data: Path) -> list[Process]:
    """One for each service that wants one, if there is a broker; else the services do their work as they serve."""
    if not config().redis_url:
        report.say("  no Redis, so no workers: each service does its background work itself")
        return []
    return [supervisor.worker_process(service, data) for service in services if service.worker]


def _offset() -> int:
    """`SHOP_PORT_OFFSET`, which every service reads too."""
    text, most = os.environ.get("SHOP_PORT_OFFSET", "0"), 65535 - stores.HIGHEST_PORT
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= most):
        raise RunnerError(f"SHOP_PORT_OFFSET must be a whole number from 0 to {most}, not {text!r}.")
    return int(text)


def load_first_time(data: Path, fleet: supervisor.Supervisor) -> None:
    """The sample data, once for each data folder; a signal ends it after the service that it has come to."""
    from shopkit import loader

    def say(line: str) -> None:
        report.say(line)
        if fleet.is_told_to_end():
            raise KeyboardInterrupt

    if not state.loaded_mark(data).exists():
        try:
            loader.load_all(say=say)
        except loader.LoadError as error:
            raise RunnerError(f"The sample data does not load: {error}") from None
        state.loaded_mark(data).touch()


def stop() -> None:
    data = config().data.resolve()
    running = state.read(data)
    if running is None:
        report.say(f"No fleet is running on {data}.")
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + supervisor.STOP_SECONDS + 2
    while state.read(data) and time.monotonic() < deadline:
        time.sleep(0.1)
    if state.read(data):
        raise RunnerError(f"The fleet did not end; its runner is process {running.pid}.")
    report.say("Polyshop has stopped.")


def status() -> None:
    data = config().data.resolve()
    running = state.read(data)
    if running is None:
        raise RunnerError(f"No fleet is running on {data}; `make run` starts one.")
    report.status(running)


def logs(names: list[str]) -> None:
    folder = config().data.resolve() / "logs"
    files = [str(folder / f"{name}.log") for name in names] or sorted(map(str, folder.glob("*.log")))
    if not files:
        raise RunnerError(f"There are no logs in {folder} yet; `make run` makes them.")
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S607


def reset() -> None:
    """Deletes the fleet's data, and nothing else that may be in the folder."""
    data = config().data.resolve()
    if state.read(data):
        raise RunnerError("The fleet is running; `make stop` first.")
    for pattern in OURS:
        for path in data.glob(pattern):
            path.unlink()
    for name in OUR_FOLDERS:
        shutil.rmtree(data / name, ignore_errors=True)
    report.say(f"The data in {data} is gone; `make run` starts afresh with the sample data.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m shopkit.runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, explanation in (
        ("run", "start the stores, the services and their workers, and stay with them until Ctrl-C"),
        ("stop", "end a fleet that runs elsewhere"),
        ("status", "what runs where, and how much memory it takes"),
        ("logs", "follow the logs"),
        ("reset", "delete all data"),
    ):
        command = commands.add_parser(name, help=explanation)
        if name in ("run", "logs"):
            command.add_argument("services", nargs="*", help="only these")
    given = parser.parse_args()
    actions: dict[str, Callable[..., None]] = {"run": run, "logs": logs, "stop": stop, "status": status, "reset": reset}
    try:
        actions[given.command](*([given.services] if hasattr(given, "services") else []))
    except (RunnerError, KeyError) as error:
        sys.exit(f"make {given.command}: {error.args[0]}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
