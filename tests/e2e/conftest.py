"""The fleets that end-to-end tests share, on the stores that `SHOP_TEST_STORES` names: `embedded` or `servers`."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import tests.__main__ as make_test
from tests import stores
from tests.e2e.objects import Cast
from tests.fleet import Fleet, running
from tests.people import STAFF, Person, staff

ON_SERVERS = os.environ.get("SHOP_TEST_STORES", "embedded") == "servers"

# Which fixture's fleet a file's tests use, and the part of `make test` that runs them; others have fleets of their own.
PARTS = {"fleet": "open_fleet", "secure": "secure_fleet"}
KILLING = ["test_background.py", "test_killed_under_load.py", "test_moves_killed.py"]

# What these show does not depend on the stores, or starts database servers of its own.
EMBEDDED_ONLY = ["test_bad_input.py", "test_faults.py", "test_fifth_type.py"]
collect_ignore = [*EMBEDDED_ONLY, "test_memory.py", "test_runner.py"] if ON_SERVERS else ["test_containers.py"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file belongs to one part, so that parts run beside each other, each in a process of its own.

    What a fleet takes is looked at before it has done the rest; generated requests leave behind whatever they made.
    """
    turns = {"test_memory.py": -1, "test_schemathesis.py": 1}
    items.sort(key=lambda item: turns.get(item.path.name, 0))
    part_of = {item.path: "killing" if item.path.name in KILLING else "own_fleet" for item in items}
    part_of |= {item.path: PARTS[name] for item in items for name in PARTS.keys() & _fixtures(item)}
    assert {*part_of.values()} <= {*make_test.PARTS}  # or they would never be run
    for item in items:
        item.add_marker(part_of[item.path])


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """On the ports that the documents name, so that what they show runs as it stands."""
    with started("polyshop-e2e-", offset=0) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def secure() -> Iterator[Fleet]:
    """A second one, in secure access, with somebody on the staff; without the limits at the gateway."""
    environment = {"SHOP_ACCESS": "secure", "SHOP_RATE_LIMIT": "off", "SHOP_AUTH_RATE_LIMIT": "off", **STAFF}
    with started("polyshop-secure-", offset=2100, environment=environment) as fleet:
        yield fleet


@contextmanager
def started(
    name: str, *, offset: int, environment: dict[str, str] | None = None, services: tuple[str, ...] = ()
) -> Iterator[Fleet]:
    """A fleet or a part of it, in a folder of its own, on the stores that these tests run on; skips without them."""
    with tempfile.TemporaryDirectory(prefix=name) as folder, ExitStack() as stack:
        env = environment or {}
        if ON_SERVERS:
            try:
                env = stack.enter_context(stores.servers(Path(folder), prefix=f"at_{offset}_" if offset else "")) | env
            except stores.Missing as missing:
                pytest.skip(f"!!! NOT TESTED on database servers: {missing}")
        yield stack.enter_context(running(Path(folder) / "data", offset=offset, environment=env, services=services))


@pytest.fixture(scope="session")
def boss(secure: Fleet) -> Person:
    return staff(secure)


@pytest.fixture(scope="session")
def cast(secure: Fleet, boss: Person) -> Cast:
    return Cast(secure, boss)
