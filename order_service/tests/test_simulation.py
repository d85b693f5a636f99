"""Shops in which everything goes wrong end well: each seed is another one, and `--seed N` repeats that one."""

import gc
import os
from collections.abc import Iterator

import pytest
from django.db import connection

from order_service.tests.simulation import Shop, forget
from shopkit import garbage

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = int(os.environ.get("SHOP_SIMULATION_SEEDS", "5"))
AT_A_TIME = 10
REPEAT = "repeat it: python -m pytest order_service/tests/test_simulation.py --seed {seed}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        one = metafunc.config.getoption("--seed", None)
        found = [range(one, one + 1)] if one is not None else _batches()
        metafunc.parametrize("seeds", found, ids=[f"{each.start}-{each.stop - 1}" for each in found])


def _batches() -> list[range]:
    return [range(first, min(first + AT_A_TIME, SEEDS)) for first in range(0, SEEDS, AT_A_TIME)]


@pytest.fixture(scope="module", autouse=True)
def _settled() -> Iterator[None]:
    """As a process that serves: what was loaded is not looked through for garbage again and again."""
    before = gc.get_threshold()
    garbage.settle()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """A database that is gone with the test need not outlive the machine's next crash, and has this one connection."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA journal_mode=MEMORY")
            cursor.execute("PRAGMA locking_mode=EXCLUSIVE")
    yield
    connection.close()


def test_a_shop_in_which_everything_goes_wrong_ends_well(seeds: range) -> None:
    for seed in seeds:
        forget()
        shop = Shop(seed)
        try:
            wrong = shop.run()
        except BaseException:
            print(shop.story())
            raise
        if wrong:
            print(shop.story())
            pytest.fail(f"seed {seed}: {'; '.join(wrong)}; {REPEAT.format(seed=seed)}", pytrace=False)


def test_a_seed_repeats_itself() -> None:
    stories = []
    for _ in range(2):
        forget()
        shop = Shop(7, orders=10)
        shop.run()
        stories.append(shop.story())
    assert stories[0] == stories[1]
