"""A customer cancels while the checkout is on its way: in time nothing is charged, too late they are told so."""

import uuid
from typing import Any

import pytest

from order_service import saga, services
from order_service.models import Order, Saga
from order_service.tests.checkout import check, crash_after, finish, later
from order_service.tests.conftest import Place, vip
from order_service.tests.world import Fault, Killed, World
from shopkit import rows
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("steps", range(5))
def test_a_customer_cancels_while_nothing_is_captured(world: World, place: Place, ada: Caller, steps: int) -> None:
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
    crash_after(world, 3)  # reserve, authorise, commit, capture
    assert world.charges == 1
    later()
    assert ada.post(f"/api/orders/{order.pk}/cancel/").data["status"] == "cancelled"
    order.refresh_from_db()
    check(world, order)
    assert world.payments[str(order.payment_id)]["refunded"] == order.total


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


def test_who_cancels_while_the_saga_is_claimed_for_the_capture_is_not_charged(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, find = place(), rows.find
    world.fault = Fault(len(world.calls) + 3, "before", "killed")
    with pytest.raises(Killed):
        saga.run_due()
    later()

    def cancelled_meanwhile(model: Any, *given: Any, **asked: Any) -> Any:
        found = find(model, *given, **asked)
        if model is Saga:
            assert found.step == Saga.Step.CAPTURE
            monkeypatch.undo()
            services.cancel_order(order=Order.objects.get(pk=order.pk))
        return found

    monkeypatch.setattr(rows, "find", cancelled_meanwhile)
    order = finish(order)
    assert (order.status, world.charges) == ("cancelled", 0)
    check(world, order)


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
