"""Shops in which everything goes wrong end well: each seed is another one, and `--seed N` repeats that one."""

import gc
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import connection
from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from order_service.tests.simulation import Shop, forget
from shopkit import garbage

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = int(os.environ.get("SHOP_SIMULATION_SEEDS", "5"))
AT_A_TIME = 10
_CONVERT: Any = SQLiteCursorWrapper.convert_query
REPEAT = "repeat it: python -m pytest order_service/tests/test_simulation.py --seed {seed}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        one = metafunc.config.getoption("--seed", None)
        found = [range(one, one + 1)] if one is not None else _batches()
        metafunc.parametrize("seeds", found, ids=[f"{each.start}-{each.stop - 1}" for each in found])


def _batches() -> list[range]:
    return [range(first, min(first + AT_A_TIME, SEEDS)) for first in range(0, SEEDS, AT_A_TIME)]


@cache
def _for_sqlite(sql: str) -> str:
    """With the placeholders that SQLite has, which Django puts in anew each time; no parameter here has a name."""
    return str(_CONVERT(None, sql))


@pytest.fixture(scope="module", autouse=True)
def _settled() -> Iterator[None]:
    """As a process that serves: what was loaded is not looked through for garbage again and again."""
    before = gc.get_threshold()
    garbage.settle()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that is gone with the test need not outlive the machine's next crash, and has this one connection."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA journal_mode=MEMORY")
            cursor.execute("PRAGMA locking_mode=EXCLUSIVE")
        monkeypatch.setattr(SQLiteCursorWrapper, "convert_query", lambda _cursor, sql, **_names: _for_sqlite(sql))
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
