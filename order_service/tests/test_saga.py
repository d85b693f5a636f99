"""A checkout on its way, paid or not: it ends, and money and stock agree with how."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from order_service import saga, services
from order_service.models import Order, Saga
from order_service.tests.checkout import check, finish, later
from order_service.tests.conftest import CARD, LINE, Fills, Place, wish
from order_service.tests.world import Fault, Killed, World, _error
from shopkit import sweeper
from shopkit.outbox import delivery
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_that_is_paid_is_reserved_charged_once_and_shipped(world: World, place: Place) -> None:
    order = finish(place())
    assert (order.status, order.tracking_number) == ("fulfilling", "PS0")
    names = [event.name for event in order.events.all()]
    assert names == ["placed", "reserve", "authorise", "commit", "capture", "ship"]
    check(world, order)


def test_a_checkout_begins_as_soon_as_the_order_is_placed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    monkeypatch.setattr(sweeper, "_running", SimpleNamespace(wake=lambda: begun.append(bool(saga.due_now()))))
    place()
    assert begun == [True]


def test_it_takes_at_most_twelve_calls(world: World, place: Place) -> None:
    """The bench counts them between real services; these are all but those of the cart, of the rate and of the news."""
    finish(place())
    assert len(world.calls) == 6


def test_the_items_know_who_has_bought_them_for_as_long_as_it_is_true(world: World, place: Place) -> None:
    order = finish(place())
    assert world.buyers == {str(order.pk): "ada"}
    services.take_over(guest_id="ada", customer_id="bob", customer_type="vip")
    delivery.deliver_due()
    assert world.buyers == {str(order.pk): "bob"}
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="refunded", refunded=order.total)
    delivery.deliver_due()
    assert world.buyers == {str(order.pk): None}


def test_an_order_that_is_gone_is_not_shipped(world: World, place: Place) -> None:
    order = place()
    world.fault = Fault(len(world.calls) + 4, "before", "killed")
    with pytest.raises(Killed):
        saga.run_due()
    later()
    claimed = saga.claim(order.pk)
    assert claimed
    assert claimed.step == Saga.Step.SHIP
    Order.objects.all().delete()
    with pytest.raises(Order.DoesNotExist):
        saga._take(claimed)
    assert world.shipments == {}


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


def test_a_payment_that_its_provider_does_not_begin_gives_the_goods_back(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place()
    monkeypatch.setattr(world, "_authorise", lambda payment, body: "payment_refused")
    order = finish(order)
    assert (order.status, order.events.get(name="authorise").outcome) == ("payment_failed", "payment_refused")
    check(world, order)


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


def test_a_price_that_is_taken_away_once_the_goods_are_held_cancels_the_order(world: World, place: Place) -> None:
    order = place()
    world.fault = Fault(len(world.calls), "after", "lost")
    saga.run_due()
    assert world.holds
    world.price = None
    order = finish(order)
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
    world._new_payment({"payment_id": str(payment_id), "order_id": str(order.pk), "amount": order.total})
    for _ in range(2):
        services.take_payment_news(order_id=order.pk, payment_id=payment_id, status="pending", refunded=0)
    services.take_payment_news(order_id=order.pk, payment_id=uuid.uuid4(), status="pending", refunded=0)
    order = finish(order)
    assert (order.status, order.payment_id) == ("fulfilling", payment_id)
    check(world, order)


def test_a_card_that_is_refused_makes_no_order(
    world: World, ada: Caller, fills: Fills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "_new_payment", lambda body: _error(400, "invalid_token"))
    answer = ada.post("/api/orders/", wish(fills(), payment=CARD))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert Order.objects.count() == 0


def test_a_payment_that_is_not_there_undoes_the_order(world: World, place: Place) -> None:
    order = place()
    world.gone = True
    order = finish(order)
    assert (order.status, world.holds) == ("payment_failed", {})
