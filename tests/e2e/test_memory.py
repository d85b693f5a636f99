"""What the whole fleet takes of the machine."""

import re

from shopkit import topology
from tests.fleet import Fleet

MOST_MB = 1536  # with the background work that each process does beside its requests
MOST_OF_SERVICES_MB = 1024
STORES = {"mongodb", "redis"}
ROW = re.compile(r"^  (\w+) +pid .* ([\d.]+) MB", re.MULTILINE)


def test_the_whole_fleet_with_what_runs_in_its_background_takes_no_more_than_1_5_gb(fleet: Fleet) -> None:
    done = fleet.runner("status")
    total = re.search(r"in all +([\d.]+) MB", done.stdout)
    assert total, done.stdout + done.stderr
    assert 50 < float(total[1]) <= MOST_MB


def test_the_fourteen_services_and_their_stores_take_no_more_than_1_gb(fleet: Fleet) -> None:
    shown = fleet.runner("status").stdout
    taken = {name: float(mb) for name, mb in ROW.findall(shown) if name in topology.SERVICES or name in STORES}
    assert set(taken) == {*topology.SERVICES, *STORES}, shown
    assert sum(taken.values()) <= MOST_OF_SERVICES_MB
