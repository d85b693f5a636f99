"""Shops in which everything goes wrong end well: each seed is another one."""

import os
import pytest
from order_service.tests.simulation import Shop, forget
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = int(os.environ.get("SHOP_SIMULATION_SEEDS", "10"))

@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_shop_in_which_everything_goes_wrong_ends_well(seed):
    forget()
    with connection.cursor() as c:
        c.execute("PRAGMA synchronous=OFF"); c.execute("PRAGMA journal_mode=MEMORY")
    shop = Shop(seed)
    try:
        wrong = shop.run()
    finally:
        import time
        open(f"/tmp/hist-{seed}","w").write("\n".join(f"{a:10.6f} {b} {c}" for a,b,c in shop.loop.history))
    assert wrong == []
