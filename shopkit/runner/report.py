"""What the runner prints."""

import os
from collections.abc import Iterable
from pathlib import Path

from shopkit import background, topology
from shopkit.config import config, shown_url
from shopkit.runner.state import State


def say(line: str) -> None:
    print(line, flush=True)


def store_summary() -> str:
    """`mongodb://127.0.0.1:8027, redis://…, SQLite`, without passwords."""
    urls = [os.environ.get("MONGO_URL"), os.environ.get("REDIS_URL")]
    return ", ".join([shown_url(url) for url in urls if url] + ([] if urls[1] else ["no Redis: caches in memory"]))


def ready(services: Iterable[topology.Service], seconds: float) -> None:
    """The table of addresses, and three calls to try."""
    say("")
    for service in services:
        paths = " ".join(f"/api/{path}/" for path in service.paths) or "everything, and /docs/"
        say(f"  {service.name:<20} http://localhost:{service.listen_port:<6} {paths}")
    door = f"http://localhost:{topology.service('gateway').listen_port}"
    say(f"""
Polyshop is ready after {seconds:.1f} s. Try:
  curl '{door}/api/items/?ordering=price'
  curl '{door}/api/items/?type=book&author=martin'
  curl -H 'X-User-ID: 456' -H 'X-Customer-Type: vip' {door}/api/customers/
Ctrl-C ends it.""")


def status(state: State) -> None:
    """Each process with its pid, port and memory, whether a worker's heart beats, and the sum."""
    total = 0
    os.environ.update(state.environment)
    config.cache_clear()
    for name, process in {"runner": {"pid": state.pid, "port": 0}, **state.processes}.items():
        pss = sum(_pss_kb(pid) for pid in _session(process["pid"], alone=name == "runner"))
        total += pss
        say(f"  {name:<26} pid {process['pid']:<8} port {process['port'] or '-':<6} {pss / 1024:6.1f} MB{_heart(name)}")
    say(f"  {'in all':<26} {'':<24} {total / 1024:6.1f} MB (PSS)")


def _heart(name: str) -> str:
    """Nothing of what is no worker, nor where only the runner was told where Redis is."""
    service = name.removesuffix("_worker")
    worker = background.worker_of(service) if service != name else None
    if worker is None:
        return ""
    return "  at work" if worker.is_alive() else "  silent: its service does its work"


def _session(leader: int, *, alone: bool) -> list[int]:
    """The processes of a session: the leader and its workers."""
    if alone:
        return [leader]
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _session_of(pid) == leader]


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _pss_kb(pid: int) -> int:
    """Proportional set size (proc(5), smaps_rollup); 0 where the kernel does not say."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
