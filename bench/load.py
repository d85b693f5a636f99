"""Load by wrk, bounded in connections and seconds, and what each process spent on it."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Run:
    """One run of wrk: requests a second, milliseconds at the median and the 99th percentile, and CPU ms a request by
    process."""

    rps: float
    p50: float
    p99: float
    failed: int
    cpu: dict[str, float]


def load(
    url: str,
    *,
    connections: int,
    seconds: int,
    leaders: dict[str, Iterable[int]],
    token: str | None = None,
    vary: bool = False,
) -> Run:
    """Loads `url`, as whoever has that token; `leaders` names the processes to account for: name → pids.

    `vary`: each request has another query, which no cache has seen.
    """
    before = {name: cpu_seconds(pids) for name, pids in leaders.items()}
    caller = ["-H", f"Authorization: Bearer {token}"] if token else []
    script = ["-s", str(Path(__file__).with_name("vary.lua"))] if vary else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *script, *caller, url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = int(_found(r"(\d+) requests in", output))
    spent = {name: (cpu_seconds(pids) - before[name]) * 1000 / requests for name, pids in leaders.items()}
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", output)))
    failed += sum(sum(map(int, re.findall(r"\d+", line))) for line in re.findall(r"Socket errors: (.*)", output))
    rps = float(_found(r"Requests/sec:\s+([\d.]+)", output))
    return Run(rps, _percentile("50%", output), _percentile("99%", output), failed, spent)


def _found(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if not match:
        raise RuntimeError(f"wrk said something else:\n{output}")
    return match[1]


def _percentile(name: str, output: str) -> float:
    match = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", output)
    if not match:
        raise RuntimeError(f"wrk said something else:\n{output}")
    return float(match[1]) * _UNITS[match[2]]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far (proc(5), stat, fields 14 and 15)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def family(leader: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return [leader, *map(int, children)]


def resident_mb(pids: Iterable[int]) -> float:
    """Resident memory, anonymous pages only (proc(5), status, RssAnon)."""
    kb = 0
    for pid in pids:
        kb += int(_found(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()))
    return kb / 1024


def pss_mb(pids: Iterable[int]) -> float:
    """Proportional set size (proc(5), smaps_rollup)."""
    return sum(int(_found(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())) for pid in pids) / 1024
