"""One fleet for all end-to-end tests, on the stores that `SHOP_TEST_STORES` names: `embedded` or `servers`."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import stores
from tests.fleet import Fleet, running

ON_SERVERS = os.environ.get("SHOP_TEST_STORES", "embedded") == "servers"

# What these show does not depend on the stores, or starts database servers of its own.
collect_ignore = (
    ["test_bad_input.py", "test_faults.py", "test_fifth_type.py", "test_memory.py", "test_runner.py"]
    if ON_SERVERS
    else ["test_containers.py"]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Generated requests come last: they leave behind whatever they made."""
    items.sort(key=lambda item: item.path.name == "test_schemathesis.py")


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """On the ports that the documents name, so that what they show runs as it stands."""
    with tempfile.TemporaryDirectory(prefix="polyshop-e2e-") as folder:
        if not ON_SERVERS:
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
