"""Money given back: the order says how much, it is asked for once, and what is given back whole is not shipped."""

import uuid

import pytest
from django.utils import timezone

from order_service import saga, services, tasks
from order_service.models import Order, Saga
from order_service.tests.checkout import check, crash_after, finish, later
from order_service.tests.conftest import LINE, Place
from order_service.tests.world import Fault, Killed, World
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_given_back_is_the_orders_refund(world: World, place: Place) -> None:
    order = finish(place())
    for refunded in (1_000, 1_000, 400):
        services.take_payment_news(
            order_id=order.pk, payment_id=order.payment_id, status="partially_refunded", refunded=refunded
        )
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("fulfilling", 1_000)
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="refunded", refunded=order.total)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("refunded", order.total)


def test_the_customer_hears_of_what_was_refunded(world: World, place: Place) -> None:
    order = finish(place())
    services.take_payment_news(
        order_id=order.pk, payment_id=order.payment_id, status="partially_refunded", refunded=1_000
    )
    order.refresh_from_db()
    assert tasks.told(order)["refunded"] == 1_000


@pytest.mark.parametrize(
    ("status", "end", "refunded"),
    [("requires_action", "voided", 0), ("authorised", "voided", 0), ("captured", "refunded", 7)],
)
def test_a_payment_that_its_order_does_not_take_up_is_voided_or_given_back(
    world: World, place: Place, status: str, end: str, refunded: int
) -> None:
    order, other = finish(place()), str(uuid.uuid4())
    world._new_payment({"payment_id": other, "order_id": str(order.pk), "amount": 7})
    world.payments[other] |= {"status": status, "captured": 7 if status == "captured" else 0}
    for _ in range(2):
        services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status=status, refunded=0)
        for message in Message.objects.filter(kind=services.UNWANTED, state="pending"):
            assert delivery.attempt(message)
    assert (world.payments[other]["status"], world.payments[other]["refunded"]) == (end, refunded)
    check(world, Order.objects.get(pk=order.pk))


def given_back(world: World, order: Order) -> None:
    """Staff give all of it back."""
    world.payments[str(order.payment_id)] |= {"status": "refunded", "refunded": order.total}
    news(order, order.total)


def news(order: Order, refunded: int) -> None:
    assert order.payment_id
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="refunded", refunded=refunded)


def test_news_of_the_refund_do_not_stop_an_undoing(world: World, place: Place, ada: Caller) -> None:
    order = place()
    crash_after(world, 3)
    later()
    Saga.objects.update(cancel_asked=True)
    world.fault = Fault(len(world.calls) + 3, "before", "killed")  # void, look, refund, release
    with pytest.raises(Killed):
        saga.run_due()
    news(order, order.total)
    order = finish(order)
    assert (order.status, order.refunded) == ("cancelled", order.total)
    check(world, order)


def finish_capture(order: Order) -> None:
    """The capture is recorded, and nothing after it."""
    later()
    claimed = saga.claim(order.pk)
    assert claimed
    assert saga._take(claimed)
    assert Saga.objects.get(pk=order.pk).step == Saga.Step.SHIP


def test_what_was_given_back_whole_before_it_was_shipped_is_not_shipped(world: World, place: Place) -> None:
    order = place()
    crash_after(world, 3)
    finish_capture(order)
    given_back(world, order)
    order = finish(order)
    assert order.status == "refunded"
    check(world, order)
    assert [event.name for event in order.events.all()][-3:] == ["refund", "ship", "undo_stock"]


def test_what_was_given_back_whole_before_the_capture_was_recorded_is_not_shipped(world: World, place: Place) -> None:
    order = place()
    crash_after(world, 3)
    given_back(world, order)
    order = finish(order)
    assert order.status == "refunded"
    check(world, order)


@pytest.mark.parametrize("kind", ["killed", "lost", "unavailable"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(3))
def test_the_goods_of_what_is_not_shipped_come_back_once_whatever_happens_to_any_one_call(
    world: World, place: Place, call: int, when: str, kind: str
) -> None:
    order = place()
    crash_after(world, 3)
    finish_capture(order)
    given_back(world, order)
    world.fault = Fault(len(world.calls) + call, when, kind)
    order = finish(order)
    assert order.status == "refunded"
    check(world, order)


def test_what_was_handed_to_the_carrier_before_it_was_given_back_does_not_come_back_by_itself(
    world: World, place: Place
) -> None:
    """Who died before the shipment was written down had it made all the same."""
    order = place()
    crash_after(world, 4)
    given_back(world, order)
    order = finish(order)
    assert (order.status, list(world.shipments)) == ("refunded", [str(order.pk)])
    assert world.sold == {str(order.pk): {LINE["item_id"]: LINE["quantity"]}}


def test_a_part_given_back_before_the_capture_was_recorded_is_no_reason_to_wait(world: World, place: Place) -> None:
    order = place()
    crash_after(world, 3)
    payment = world.payments[str(order.payment_id)]
    payment["status"], payment["refunded"] = "partially_refunded", 100
    world._capture = lambda payment, body: None  # type: ignore[method-assign]
    assert finish(order).status == "fulfilling"


def refunds_show_late(world: World) -> list[str]:
    """The ids of the refunds asked for, of which no look at the payment shows anything yet."""
    asked: list[str] = []
    world._refunds = lambda payment, body: asked.append(body["refund_id"])  # type: ignore[method-assign]
    return asked


def test_what_an_undoing_gives_back_is_one_refund_however_often_it_is_asked_for(world: World, place: Place) -> None:
    order, asked = place(), refunds_show_late(world)
    crash_after(world, 3)
    later()
    Saga.objects.update(cancel_asked=True)
    crash_after(world, 2)  # void, look, refund
    assert finish(order).status == "cancelled"
    assert asked == [str(order.pk)] * 2


def test_what_an_unwanted_payment_gives_back_is_one_refund_however_often_it_is_asked_for(
    world: World, place: Place
) -> None:
    order, other, asked = finish(place()), str(uuid.uuid4()), refunds_show_late(world)
    world._new_payment({"payment_id": other, "order_id": str(order.pk), "amount": 7})
    world.payments[other] |= {"status": "captured", "captured": 7}
    services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status="captured", refunded=0)
    message = Message.objects.get(kind=services.UNWANTED)
    world.fault = Fault(len(world.calls) + 2, "after", "lost")  # void, look, refund
    assert not delivery.attempt(message)
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now())
    message.refresh_from_db()
    assert delivery.attempt(message)
    assert asked == [other] * 2
