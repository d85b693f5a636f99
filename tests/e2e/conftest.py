"""One fleet for all end-to-end tests, on the stores that `SHOP_TEST_STORES` names: `embedded` or `servers`."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import stores
from tests.fleet import Fleet, running


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """On the ports that the documents name, so that what they show runs as it stands."""
    with tempfile.TemporaryDirectory(prefix="polyshop-e2e-") as folder:
        if os.environ.get("SHOP_TEST_STORES", "embedded") == "embedded":
            with running(Path(folder) / "data", offset=0) as fleet:
                yield fleet
            return
        try:
            with (
                stores.servers(Path(folder)) as environment,
                running(Path(folder) / "data", offset=0, environment=environment) as fleet,
            ):
                yield fleet
        except stores.Missing as missing:
            pytest.skip(f"!!! NOT TESTED on database servers: {missing}")
