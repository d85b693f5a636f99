"""What happens when several want the same at once."""

from typing import Any

import pytest

from order_service import services
from order_service.models import Order, OrderEvent, OrderLine, Saga
from order_service.tests.conftest import CARD, Fills, vip, wish
from order_service.tests.world import Fault, World
from shopkit.idempotency.models import Answer
from shopkit.testing import Caller, at_once, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 16


def test_a_cart_posted_many_times_at_once_becomes_one_order(fills: Fills) -> None:
    cart_id = fills()
    answers = at_once(lambda _: vip("ada").post("/api/orders/", wish(cart_id)).json(), TIMES)
    made = [each["id"] for each in answers if "id" in each]
    assert len(made) == 1
    assert [each["details"] for each in answers if "id" not in each] == [{"order_id": made}] * (TIMES - 1)
    assert (Order.objects.count(), OrderLine.objects.count(), OrderEvent.objects.count()) == (1, 1, 1)


def test_a_cart_posted_many_times_at_once_leaves_one_payment(world: World, fills: Fills) -> None:
    cart_id = fills()
    at_once(lambda _: vip("ada").post("/api/orders/", wish(cart_id, payment=CARD)), TIMES)
    left = [payment for payment in world.payments.values() if payment["status"] != "voided"]
    assert [payment["id"] for payment in left] == [str(Order.objects.get().payment_id)]


def test_of_many_orders_at_once_with_one_key_one_is_made_and_stays_the_answer(fills: Fills, world: World) -> None:
    cart_id, key = fills(), {"HTTP_IDEMPOTENCY_KEY": "one"}
    ask = lambda _turn=0: vip("ada").post("/api/orders/", wish(cart_id, payment=CARD), **key)  # noqa: E731
    answers = at_once(ask, TIMES)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {str(Order.objects.get().pk)}
    Answer.objects.all().delete()  # as the sweep does, after so many days
    again = ask()
    assert (again.status_code, again.json()["id"]) == (201, str(Order.objects.get().pk))
    assert len(world.payments) == 1


def test_while_an_order_is_being_made_who_repeats_it_is_told_so(
    fills: Fills, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cart_id, opened, meanwhile = fills(), world._new_payment, []
    ask = lambda: vip("ada").post("/api/orders/", wish(cart_id, payment=CARD), HTTP_IDEMPOTENCY_KEY="one")  # noqa: E731

    def slow(body: dict[str, Any]) -> Any:
        meanwhile.append(ask())
        return opened(body)

    monkeypatch.setattr(world, "_new_payment", slow)
    assert ask().status_code == 201
    assert [(each.status_code, each.json()["code"]) for each in meanwhile] == [(409, "in_progress")]


@pytest.mark.parametrize("key", ["", "one"])
@pytest.mark.parametrize("lost", [False, True])
def test_who_comes_second_voids_the_payment_they_had_opened_or_leaves_it_to_the_sweep(
    world: World, ada: Caller, fills: Fills, lost: bool, key: str
) -> None:
    cart_id, opened = fills(), world._new_payment
    first: list[Any] = []

    def overtaken(body: dict[str, Any]) -> Any:
        world._new_payment = opened  # type: ignore[method-assign]
        first.append(ada.post("/api/orders/", wish(cart_id, payment=CARD)))
        world.fault = Fault(len(world.calls), "before", "lost") if lost else None  # the voiding
        return opened(body)

    world._new_payment = overtaken  # type: ignore[method-assign]
    more = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    second = ada.post("/api/orders/", wish(cart_id, payment=CARD), **more)
    assert (second.status_code, second.json()["code"]) == (409, "already_ordered")
    assert second.json()["details"] == {"order_id": [first[0].data["id"]]}
    statuses = {payment["order_id"] == first[0].data["id"]: payment["status"] for payment in world.payments.values()}
    assert statuses == {True: "pending", False: "pending" if lost else "voided"}
    assert world.fault is None or world.fault.struck


def test_of_many_who_cancel_an_order_it_is_cancelled_once(order: str, ada: Caller) -> None:
    codes = at_once(lambda _turn: vip("ada").post(f"{order}cancel/").status_code, TIMES)
    assert set(codes) <= {200, 409}
    assert ada.get(order).data["status"] == "cancelled"
    assert OrderEvent.objects.filter(to_status="cancelled").exclude(from_status="cancelled").count() == 1


def test_an_order_is_never_both_deleted_and_moved(order: str) -> None:
    Saga.objects.update(step=Saga.Step.DONE)
    services.move(order=Order.objects.get(), to="cancelled", name="cancelled")

    def change_or_delete(number: int) -> int:
        if number % 2:
            return staff_caller().delete(order).status_code
        return staff_caller().patch(order, {"status": "delivered"}).status_code

    codes = at_once(change_or_delete, TIMES)
    assert codes.count(204) == 1
    assert set(codes) <= {204, 404, 409}
