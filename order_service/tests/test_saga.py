"""A checkout, whatever goes wrong on its way: it ends, money and stock agree with how, and nothing happens twice."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from order_service import saga, services, tasks
from order_service.models import TRANSITIONS, Order, OrderEvent, Saga, Status
from order_service.tests.conftest import LINE, Fills, vip, wish
from order_service.tests.world import UNITS, Fault, Killed, World, _error
from shopkit import database_time, sweeper
from shopkit.errors import Conflict
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)
CARD = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
QUANTITY = LINE["quantity"]
MOST_STEPS = 14
Place = Callable[..., Order]


@pytest.fixture
def place(world: World, ada: Caller, fills: Fills) -> Place:
    def placed(**more: Any) -> Order:
        answer = ada.post("/api/orders/", wish(fills(), **{"payment": CARD, **more}))
        assert answer.status_code == 201, answer.content
        return Order.objects.get(pk=answer.data["id"])

    return placed


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


def test_an_order_that_is_paid_is_reserved_charged_once_and_shipped(world: World, place: Place) -> None:
    order = finish(place())
    assert (order.status, order.tracking_number) == ("fulfilling", "PS0")
    check(world, order)
    names = [event.name for event in order.events.all()]
    assert names == ["placed", "reserve", "authorise", "commit", "capture", "ship"]


def test_the_items_know_who_has_bought_them_for_as_long_as_it_is_true(world: World, place: Place) -> None:
    order = finish(place())
    assert world.buyers == {str(order.pk): "ada"}
    services.take_over(guest_id="ada", customer_id="bob", customer_type="vip")
    delivery.deliver_due()
    assert world.buyers == {str(order.pk): "bob"}
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="refunded", refunded=order.total)
    delivery.deliver_due()
    assert world.buyers == {str(order.pk): None}


def test_it_takes_at_most_twelve_calls(world: World, place: Place) -> None:
    finish(place())
    assert len(world.calls) <= 7  # one of them through a router; and one for the cart before


@pytest.mark.parametrize(
    ("card", "status", "outcome"),
    [("failed", "payment_failed", "card_declined"), ("voided", "payment_failed", "voided")],
)
def test_a_payment_that_fails_gives_the_goods_back(
    world: World, place: Place, card: str, status: str, outcome: str
) -> None:
    world.card = card
    order = finish(place())
    assert order.status == status
    check(world, order)
    assert order.events.get(name="authorise").outcome == outcome


def test_what_is_sold_out_cancels_the_order_and_charges_nothing(world: World, place: Place) -> None:
    world.available[LINE["item_id"]] = 1
    order = finish(place())
    assert (order.status, order.events.get(name="reserve").outcome) == ("cancelled", "out_of_stock")
    assert (world.charges, world.payments[str(order.payment_id)]["status"]) == (0, "voided")


def test_a_price_that_has_changed_since_cancels_the_order(world: World, place: Place) -> None:
    world.price = 1_999
    order = finish(place())
    assert (order.status, order.events.get(name="reserve").outcome) == ("cancelled", "price_changed")
    check(world, order)


@pytest.mark.parametrize("waits_for", ["pending", "requires_action"])
def test_a_payment_that_waits_is_waited_for_and_then_taken(world: World, place: Place, waits_for: str) -> None:
    world.card = waits_for
    order = place()
    saga.run_due()
    later()
    saga.run_due()
    assert Order.objects.get(pk=order.pk).status == "reserved"
    world.payments[str(order.payment_id)]["status"] = "authorised"
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="authorised", refunded=0)
    saga.run_due()
    order.refresh_from_db()
    assert order.status == "fulfilling"
    check(world, order)


def test_what_is_not_paid_in_time_expires(world: World, place: Place) -> None:
    world.card = "requires_action"
    order = place()
    saga.run_due()
    Saga.objects.update(pay_until=timezone.now() - timedelta(seconds=1))
    order = finish(order)
    assert order.status == "expired"
    check(world, order)


def test_an_order_without_a_payment_waits_for_one(world: World, ada: Caller, fills: Fills) -> None:
    order = Order.objects.get(pk=ada.post("/api/orders/", wish(fills())).data["id"])
    assert saga.run_due() == 0
    payment_id = uuid.uuid4()
    world._new_payment({"payment_id": str(payment_id), "amount": order.total})
    for _ in range(2):
        services.take_payment_news(order_id=order.pk, payment_id=payment_id, status="pending", refunded=0)
    services.take_payment_news(order_id=order.pk, payment_id=uuid.uuid4(), status="pending", refunded=0)
    order = finish(order)
    assert (order.status, order.payment_id) == ("fulfilling", payment_id)
    check(world, order)


@pytest.mark.parametrize(
    ("status", "end", "refunded"),
    [("requires_action", "voided", 0), ("authorised", "voided", 0), ("captured", "refunded", 7)],
)
def test_a_payment_that_its_order_does_not_take_up_is_voided_or_given_back(
    world: World, place: Place, status: str, end: str, refunded: int
) -> None:
    order, other = finish(place()), str(uuid.uuid4())
    world._new_payment({"payment_id": other, "amount": 7})
    world.payments[other] |= {"status": status, "captured": 7 if status == "captured" else 0}
    for _ in range(2):
        services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status=status, refunded=0)
        for message in Message.objects.filter(kind=services.UNWANTED, state="pending"):
            assert delivery.attempt(message)
    assert (world.payments[other]["status"], world.payments[other]["refunded"]) == (end, refunded)
    check(world, Order.objects.get(pk=order.pk))


@pytest.mark.parametrize("steps", range(5))
def test_a_customer_cancels_while_nothing_is_captured(
    world: World, place: Place, ada: Caller, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place()
    if steps:
        world.fault = Fault(len(world.calls) + steps, "before", "killed")
        with pytest.raises(Killed):
            saga.run_due()
    later()
    before = Order.objects.get(pk=order.pk).status
    answer = ada.post(f"/api/orders/{order.pk}/cancel/")
    if before in ("pending", "reserved", "authorised"):
        assert (answer.status_code, answer.data["status"]) == (200, "cancelled")
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
        finish(order)
    order.refresh_from_db()
    check(world, order)


def test_a_capture_whose_answer_was_lost_is_given_back_when_the_customer_cancelled(
    world: World, place: Place, ada: Caller
) -> None:
    order = place()
    world.fault = Fault(len(world.calls) + 3, "after", "killed")  # reserve, authorise, commit, capture
    with pytest.raises(Killed):
        saga.run_due()
    assert world.charges == 1
    later()
    assert ada.post(f"/api/orders/{order.pk}/cancel/").data["status"] == "cancelled"
    order.refresh_from_db()
    check(world, order)
    assert world.payments[str(order.payment_id)]["refunded"] == order.total


@pytest.mark.parametrize("card", ["authorised", "failed"])
@pytest.mark.parametrize("kind", ["killed", "lost", "unavailable"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(7))
def test_a_checkout_ends_right_whatever_happens_to_any_one_call(
    world: World, place: Place, call: int, when: str, kind: str, card: str
) -> None:
    world.card = card
    order = place()
    world.fault = Fault(len(world.calls) + call, when, kind)
    order = finish(order)
    assert order.status == ("fulfilling" if card == "authorised" else "payment_failed")
    check(world, order)


@pytest.mark.parametrize("record", range(8))
def test_a_checkout_ends_right_when_the_process_dies_before_it_writes_what_came_of_a_step(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch, record: int
) -> None:
    order, left = place(), [record]
    write = saga._record

    def dying(*given: Any) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise Killed
        write(*given)

    monkeypatch.setattr(saga, "_record", dying)
    order = finish(order)
    assert order.status == "fulfilling"
    check(world, order)


def test_a_checkout_that_is_slow_keeps_no_other_waiting(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, done, all_others = [place() for _ in range(3 * tasks.AT_ONCE)], [], threading.Event()

    def run(order_id: uuid.UUID) -> None:
        if order_id == orders[0].pk:
            assert all_others.wait(10)
        done.append(order_id)
        if len(done) == len(orders) - 1:
            all_others.set()

    monkeypatch.setattr(saga, "run_alone", run)
    tasks.carry_on()
    assert len(done) == len(set(done)) == len(orders)
    assert done[-1] == orders[0].pk


def test_a_checkout_begins_as_soon_as_the_order_is_placed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    monkeypatch.setattr(sweeper, "_running", SimpleNamespace(wake=lambda: begun.append(bool(saga.due_now()))))
    place()
    assert begun == [True]


def test_who_lost_the_claim_writes_nothing(world: World, place: Place) -> None:
    order = place()
    slow = saga.claim(order.pk)
    assert slow
    later()
    finish(order)
    before = list(OrderEvent.objects.values())
    with pytest.raises(saga.FenceLost):
        saga._record(slow, saga.Next("authorise", "reserved"))
    assert list(OrderEvent.objects.values()) == before


def test_of_many_at_once_one_carries_an_order_out(world: World, place: Place) -> None:
    order = place()
    at_once(lambda _turn: saga.run(order.pk), 16)
    order.refresh_from_db()
    assert order.status == "fulfilling"
    check(world, order)


def test_what_the_database_refuses_once_is_written_soon_after_and_not_when_the_lease_is_over(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, advance = place(), saga.advance
    failures = [OperationalError("deadlock detected")]

    def failing(**given: Any) -> None:
        if failures:
            raise failures.pop()
        advance(**given)

    monkeypatch.setattr(saga, "advance", failing)
    saga.run_due()
    waiting = Saga.objects.get(pk=order.pk)
    assert waiting.lease_until <= timezone.now()
    assert waiting.next_at <= timezone.now() + timedelta(seconds=1)
    finish(order)
    check(world, order)


def test_news_of_the_payment_and_a_step_at_the_same_moment_do_not_wait_for_each_other_in_a_circle(
    world: World, place: Place
) -> None:
    orders = [place() for _ in range(6)]

    def news(order: Order) -> None:
        for _ in range(20):
            services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="authorised", refunded=0)

    at_once(lambda turn: (saga.run if turn % 2 else news)(orders[turn // 2]), 2 * len(orders))
    assert [each.last_error for each in Saga.objects.all()] == [""] * len(orders)


def test_a_card_that_is_refused_makes_no_order(
    world: World, ada: Caller, fills: Fills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "_new_payment", lambda body: _error(400, "invalid_token"))
    answer = ada.post("/api/orders/", wish(fills(), payment=CARD))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert Order.objects.count() == 0


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


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (["picked_up"], "shipped"),
        (["delivered"], "delivered"),
        (["delivered", "in_transit"], "delivered"),
        (["label_created"], "fulfilling"),
        (["in_transit", "delivered", "delivered"], "delivered"),
    ],
)
def test_a_parcels_news_move_the_order_forward_in_any_order(
    world: World, place: Place, told: list[str], status: str
) -> None:
    order = finish(place())
    for each in told:
        services.take_shipment_news(order_id=order.pk, status=each)
    order.refresh_from_db()
    assert order.status == status


@pytest.mark.parametrize("news", ["failed", "returned"])
def test_a_parcel_in_trouble_stands_once_in_the_history_of_an_order_that_stays_as_it_is(
    news: str, world: World, place: Place
) -> None:
    order = finish(place())
    for each in ("picked_up", news, news):
        services.take_shipment_news(order_id=order.pk, status=each)
    order.refresh_from_db()
    assert order.status == "shipped"
    last = list(order.events.values_list("name", "from_status", "to_status"))[-2:]
    assert last == [("shipped", "fulfilling", "shipped"), (f"parcel_{news}", "shipped", "shipped")]


def test_a_parcels_news_at_the_same_moment_are_each_told_until_they_are_taken(world: World, place: Place) -> None:
    order = finish(place())

    def tell(turn: int) -> None:
        try:
            services.take_shipment_news(order_id=order.pk, status=("in_transit", "delivered")[turn % 2])
        except Conflict:
            tell(turn)

    at_once(tell, 8)
    names = [event.name for event in order.events.all()]
    assert names[-2:] == ["shipped", "delivered"]
    assert len(names) == 8


def test_news_of_a_parcel_whose_shipping_is_not_recorded_yet_are_to_be_told_again(world: World, place: Place) -> None:
    """Who died between the carrier's answer and its record takes longer to come back than a parcel may to arrive."""
    order = finish(place())
    Order.objects.filter(pk=order.pk).update(status="paid")
    Saga.objects.filter(pk=order.pk).update(step=Saga.Step.SHIP)
    with pytest.raises(Conflict, match="tell it again"):
        services.take_shipment_news(order_id=order.pk, status="delivered")
    finish(order)
    services.take_shipment_news(order_id=order.pk, status="delivered")
    order.refresh_from_db()
    assert order.status == "delivered"


def test_the_customer_hears_of_what_was_refunded(world: World, place: Place) -> None:
    order = finish(place())
    services.take_payment_news(
        order_id=order.pk, payment_id=order.payment_id, status="partially_refunded", refunded=1_000
    )
    order.refresh_from_db()
    assert tasks.told(order)["refunded"] == 1_000


def crash_after(world: World, order: Order, calls: int) -> None:
    """The process dies right after the effect of that call: reserve, authorise, commit, capture, ship."""
    world.fault = Fault(len(world.calls) + calls, "after", "killed")
    with pytest.raises(Killed):
        saga.run_due()


def news(order: Order, refunded: int) -> None:
    assert order.payment_id
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="refunded", refunded=refunded)


def test_news_of_the_refund_do_not_stop_an_undoing(world: World, place: Place, ada: Caller) -> None:
    order = place()
    crash_after(world, order, 3)
    later()
    Saga.objects.update(cancel_asked=True)
    world.fault = Fault(len(world.calls) + 3, "before", "killed")  # void, look, refund, release
    with pytest.raises(Killed):
        saga.run_due()
    news(order, order.total)
    order = finish(order)
    assert (order.status, order.refunded) == ("cancelled", order.total)
    check(world, order)


def test_what_was_given_back_whole_before_it_was_shipped_is_not_shipped(world: World, place: Place) -> None:
    order = place()
    crash_after(world, order, 3)
    finish_capture(order)
    news(order, order.total)
    order = finish(order)
    assert (order.status, world.shipments) == ("refunded", {})


def test_what_was_given_back_whole_before_the_capture_was_recorded_is_not_shipped(world: World, place: Place) -> None:
    order = place()
    crash_after(world, order, 3)
    world.payments[str(order.payment_id)]["refunded"] = order.total
    news(order, order.total)
    order = finish(order)
    assert (order.status, world.shipments) == ("refunded", {})


def finish_capture(order: Order) -> None:
    """The capture is recorded, and nothing after it."""
    later()
    claimed = saga.claim(order.pk)
    assert claimed
    assert saga._take(claimed)
    assert Saga.objects.get(pk=order.pk).step == Saga.Step.SHIP


def test_a_part_given_back_before_the_capture_was_recorded_is_no_reason_to_wait(world: World, place: Place) -> None:
    order = place()
    crash_after(world, order, 3)
    payment = world.payments[str(order.payment_id)]
    payment["status"], payment["refunded"] = "partially_refunded", 100
    world._capture = lambda payment, body: None  # type: ignore[method-assign]
    assert finish(order).status == "fulfilling"


def test_one_saga_that_fails_is_no_reason_for_the_others_to_wait(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = place(), place()
    claim = saga.claim
    broken = lambda order_id: 1 / 0 if order_id == first.pk else claim(order_id)  # noqa: E731
    monkeypatch.setattr(saga, "claim", broken)
    saga.run_due()
    second.refresh_from_db()
    assert second.status == "fulfilling"


@pytest.mark.parametrize("call", ["_stock_reserve", "_authorise", "_stock_commit"])
def test_who_cancels_while_the_saga_runs_is_not_charged(world: World, place: Place, ada: Caller, call: str) -> None:
    order, act = place(), getattr(world, call)

    def cancelled_meanwhile(*given: Any) -> Any:
        assert ada.post(f"/api/orders/{order.pk}/cancel/").status_code == 200
        return act(*given)

    setattr(world, call, cancelled_meanwhile)
    saga.run_due()
    order = finish(order)
    assert (order.status, world.charges) == ("cancelled", 0)
    check(world, order)


def test_who_was_told_that_it_can_be_cancelled_is_not_sold_it(world: World, place: Place) -> None:
    """Whenever they ask: the last moment for it is that in which the saga begins to take the money."""
    orders = [place() for _ in range(8)]

    def run_or_cancel(turn: int) -> tuple[uuid.UUID, int]:
        order = orders[turn // 2]
        if turn % 2:
            saga.run(order.pk)
            return order.pk, 0
        ada = vip("ada")
        for _ in range(turn // 2):
            ada.get(f"/api/orders/{order.pk}/")
        return order.pk, ada.post(f"/api/orders/{order.pk}/cancel/").status_code

    told = at_once(run_or_cancel, 2 * len(orders))
    ended = {order.pk: finish(order).status for order in orders}
    assert {ended[order_id] for order_id, code in told if code == 200} <= {"cancelled"}


def test_who_cancels_while_the_money_is_being_taken_is_told_that_it_is_too_late(
    world: World, place: Place, ada: Caller
) -> None:
    order, codes = place(), []
    capture = world._capture

    def cancelled_meanwhile(payment: Any, body: Any) -> Any:
        codes.append(ada.post(f"/api/orders/{order.pk}/cancel/").status_code)
        return capture(payment, body)

    world._capture = cancelled_meanwhile  # type: ignore[method-assign]
    order = finish(order)
    assert (codes, order.status) == ([409], "fulfilling")
    check(world, order)


def refunds_show_late(world: World) -> list[str]:
    """The ids of the refunds asked for, of which no look at the payment shows anything yet."""
    asked: list[str] = []
    world._refunds = lambda payment, body: asked.append(body["refund_id"])  # type: ignore[method-assign]
    return asked


def test_what_an_undoing_gives_back_is_one_refund_however_often_it_is_asked_for(world: World, place: Place) -> None:
    order, asked = place(), refunds_show_late(world)
    crash_after(world, order, 3)
    later()
    Saga.objects.update(cancel_asked=True)
    crash_after(world, order, 2)  # void, look, refund
    assert finish(order).status == "cancelled"
    assert asked == [str(order.pk)] * 2


def test_what_an_unwanted_payment_gives_back_is_one_refund_however_often_it_is_asked_for(
    world: World, place: Place
) -> None:
    order, other, asked = finish(place()), str(uuid.uuid4()), refunds_show_late(world)
    world._new_payment({"payment_id": other, "amount": 7})
    world.payments[other] |= {"status": "captured", "captured": 7}
    services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status="captured", refunded=0)
    message = Message.objects.get(kind=services.UNWANTED)
    world.fault = Fault(len(world.calls) + 2, "after", "lost")  # void, look, refund
    assert not delivery.attempt(message)
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now())
    message.refresh_from_db()
    assert delivery.attempt(message)
    assert asked == [other] * 2


def test_a_process_that_wakes_up_after_the_order_was_cancelled_sells_nothing(
    world: World, place: Place, ada: Caller
) -> None:
    order = place()
    world.fault = Fault(len(world.calls) + 2, "before", "killed")
    with pytest.raises(Killed):
        saga.run_due()
    later()
    asleep = saga.claim(order.pk)
    assert asleep
    assert asleep.step == Saga.Step.COMMIT
    later()
    assert ada.post(f"/api/orders/{order.pk}/cancel/").data["status"] == "cancelled"
    with pytest.raises(saga.FenceLost):
        saga._take(asleep)
    order.refresh_from_db()
    check(world, order)


def test_a_hold_that_ran_out_is_taken_again(world: World, place: Place) -> None:
    order = place()
    world.fault = Fault(len(world.calls) + 2, "before", "killed")
    with pytest.raises(Killed):
        saga.run_due()
    world.available.update(world.holds.pop(str(order.pk)))
    order = finish(order)
    assert order.status == "fulfilling"
    check(world, order)


def test_a_payment_that_is_not_there_undoes_the_order(world: World, place: Place) -> None:
    order = place()
    world.gone = True
    order = finish(order)
    assert (order.status, world.holds) == ("payment_failed", {})


@contextmanager
def clock_ahead(seconds: int) -> Iterator[None]:
    """A process whose machine's clock is that far ahead of the database's."""
    right = timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_time, "_known", (timedelta(), 0.0))
        patch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds))
        yield


@pytest.mark.parametrize("seconds", [300, -300])
def test_who_has_a_clock_that_is_minutes_off_keeps_nobody_waiting(world: World, place: Place, seconds: int) -> None:
    with clock_ahead(seconds):
        order = place()
    world.fault = Fault(len(world.calls), "before", "unavailable")
    with clock_ahead(-seconds):
        assert saga.run_due() == 1
    waiting = Saga.objects.get(pk=order.pk)
    assert abs(waiting.next_at - timezone.now()) < timedelta(seconds=60)
    assert abs(waiting.pay_until - timezone.now() - services.PAY_WITHIN) < timedelta(seconds=60)
    assert not Message.objects.filter(lease_until__gt=timezone.now() + timedelta(seconds=60)).exists()


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_lease_counts_for_who_has_a_clock_that_is_minutes_off(world: World, place: Place, seconds: int) -> None:
    order = place()
    with clock_ahead(seconds):
        assert saga.claim(order.pk)
    with clock_ahead(-seconds):
        assert saga.claim(order.pk) is None
