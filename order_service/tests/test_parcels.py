"""News of a parcel: they move its order forward in whatever order they come, and each is told until it is taken."""

import pytest

from order_service import services
from order_service.models import Order, Saga
from order_service.tests.checkout import finish
from order_service.tests.conftest import Place
from order_service.tests.world import World
from shopkit.errors import Conflict
from shopkit.testing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


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
