"""What the tests of a checkout do with one: carry it to its end, break it off, and check what came of it."""

from typing import Any

import pytest
from django.utils import timezone

from order_service import audit, saga, services
from order_service.models import Order, Saga, Status
from order_service.steps import lines
from order_service.tests.conftest import LINE
from order_service.tests.world import UNITS, Fault, Killed, World

ITEM = LINE["item_id"]
MOST_STEPS = 14
LONG_AGO = "2020-01-01T00:00:00Z"


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
    """Follows it until it is delivered or undone: money and goods agree, and the auditor has nothing to say."""
    assert Saga.objects.get(pk=order.pk).step == Saga.Step.DONE
    assert list(audit.audit(books(world))) == []
    if order.status == Status.FULFILLING:
        arrive(world, order)
    assert order.status in (Status.DELIVERED, Status.REFUNDED, *audit.UNDONE)
    assert list(audit.audit(books(world))) == []
    payment = world.payments.get(str(order.payment_id), {"captured": 0, "refunded": 0})
    paid = order.status == Status.DELIVERED
    assert payment["captured"] - payment["refunded"] == (order.total if paid else 0)
    assert world.charges <= 1
    assert world.holds == {}
    assert world.sold == ({str(order.pk): lines(order)} if paid else {})
    assert (str(order.pk) in world.shipments) == paid


def arrive(world: World, order: Order) -> None:
    world.arrived.add(str(order.pk))
    services.take_shipment_news(order_id=order.pk, status="delivered")
    order.refresh_from_db()


def books(world: World) -> audit.Books:
    """What the auditor would read of the peers, where all that has happened happened long ago."""
    read = audit.Books(stock={item: _stock(world, item) for item in world.available})
    for payment in world.payments.values():
        read.payments[payment["order_id"]].append({**payment, "by_hand": False, "created_at": LONG_AGO})
    for order in world.shipments:
        status = "delivered" if order in world.arrived else "label_created"
        read.shipments[order].append({"id": order, "order_id": order, "status": status, "updated_at": LONG_AGO})
    return read


def _stock(world: World, item: str) -> dict[str, Any]:
    holds = {order: lines[item] for order, lines in world.holds.items() if item in lines}
    sold = sum(lines.get(item, 0) for lines in world.sold.values())
    moved = {"available": world.available[item], "held": sum(holds.values()), "sold": sold}
    return {"id": item, **moved, "put_in": UNITS, "holds": holds}


def crash_after(world: World, calls: int) -> None:
    """The process dies right after the effect of that call: reserve, authorise, commit, capture, ship."""
    world.fault = Fault(len(world.calls) + calls, "after", "killed")
    with pytest.raises(Killed):
        saga.run_due()
