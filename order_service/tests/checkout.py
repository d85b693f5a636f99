"""What the tests of a checkout do with one: carry it to its end, break it off, and check what came of it."""

import pytest
from django.utils import timezone

from order_service import saga
from order_service.models import TRANSITIONS, Order, OrderEvent, Saga, Status
from order_service.tests.conftest import LINE
from order_service.tests.world import UNITS, Fault, Killed, World

QUANTITY = LINE["quantity"]
MOST_STEPS = 14


def later() -> None:
    """Time passes: whatever waits, or is leased by somebody dead, is due."""
    Saga.objects.exclude(step=Saga.Step.DONE).update(next_at=timezone.now(), lease_until=timezone.now())


def finish(order: Order) -> Order:
    """Runs the saga as its sweep does, through deaths, until it ends."""
    for _ in range(MOST_STEPS):
        later()
        try:
            saga.run_due()
        except Killed:
            continue
        if Saga.objects.get(pk=order.pk).step == Saga.Step.DONE:
            break
    order.refresh_from_db()
    return order


def check(world: World, order: Order) -> None:
    """What the auditor asks: money, goods and the log agree with the order's status."""
    assert Saga.objects.get(pk=order.pk).step == Saga.Step.DONE
    payment = world.payments.get(str(order.payment_id), {"status": "none", "captured": 0, "refunded": 0})
    paid = order.status in (Status.FULFILLING, Status.SHIPPED, Status.DELIVERED)
    assert payment["captured"] - payment["refunded"] == (order.total if paid else 0)
    assert payment["status"] != "authorised"
    assert world.charges <= 1
    assert world.holds == {}
    assert world.sold == ({str(order.pk): {LINE["item_id"]: QUANTITY}} if paid else {})
    assert world.available[LINE["item_id"]] == UNITS - (QUANTITY if paid else 0)
    assert (str(order.pk) in world.shipments) == paid
    path = list(OrderEvent.objects.filter(order=order).values_list("from_status", "to_status"))
    assert path[-1][1] == order.status
    assert all(old == new or old == "" or new in TRANSITIONS[old] for old, new in path)


def crash_after(world: World, calls: int) -> None:
    """The process dies right after the effect of that call: reserve, authorise, commit, capture, ship."""
    world.fault = Fault(len(world.calls) + calls, "after", "killed")
    with pytest.raises(Killed):
        saga.run_due()
