import pytest, gc, time, collections
from order_service.tests.simulation import Shop, forget
from django.db import connection
from order_service.models import Order
pytestmark = pytest.mark.django_db(transaction=True)
def test_p():
    with connection.cursor() as c:
        c.execute("PRAGMA synchronous=OFF"); c.execute("PRAGMA journal_mode=MEMORY")
    for mode in (1,0,1,0):
        gc.enable() if mode else gc.disable()
        t=time.perf_counter(); u=time.process_time()
        ends=collections.Counter()
        for seed in range(4):
            Shop(seed).run(); ends.update(Order.objects.values_list("status", flat=True)); forget(); gc.collect()
        print("gc", mode, "wall", time.perf_counter()-t, "cpu", time.process_time()-u, ends)
