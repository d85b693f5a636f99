"""What the whole fleet takes of the machine."""

import re

from tests.fleet import Fleet

MOST_MB = 1536  # with the background work that each process does beside its requests


def test_the_whole_fleet_with_what_runs_in_its_background_takes_no_more_than_1_5_gb(fleet: Fleet) -> None:
    done = fleet.runner("status")
    total = re.search(r"in all +([\d.]+) MB", done.stdout)
    assert total, done.stdout + done.stderr
    assert 50 < float(total[1]) <= MOST_MB
