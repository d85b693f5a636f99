"""A guest signs in to an account: what they ordered goes on as the account's."""

import json
from typing import Any

import pytest
import responses

from order_service import saga, services
from order_service.tests.checkout import crash_after, finish, later
from order_service.tests.conftest import Fills, Place, wish
from order_service.tests.world import World
from shopkit.outbox import delivery
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in() -> None:
    services.take_over(guest_id="ada", customer_id="bob", customer_type="registered")


def told(peers: responses.RequestsMock, path: str) -> list[Any]:
    """What was sent there, one after the other."""
    asked = [call.request for call in peers.calls if path in str(call.request.url)]
    return [json.loads(request.body or "") for request in asked]


def test_an_order_that_waits_for_a_payment_may_be_paid_by_its_new_owner(
    world: World, place: Place, ada: Caller, fills: Fills, peers: responses.RequestsMock
) -> None:
    ada.post("/api/orders/", wish(fills()))
    finish(place())  # what is paid is not to be paid again
    for expected in ("ada", "bob"):
        delivery.deliver_due()
        assert told(peers, "/internal/dues/")[-1]["customer_id"] == expected
        sign_in()
    assert [due["customer_type"] for due in told(peers, "/internal/dues/")] == ["vip", "registered"]


def test_an_order_that_was_paid_before_is_shipped_to_its_new_owner(
    world: World, place: Place, peers: responses.RequestsMock
) -> None:
    order = place()
    crash_after(world, 3)
    later()
    claimed = saga.claim(order.pk)
    assert claimed
    assert saga._take(claimed)  # the capture
    sign_in()
    assert saga._take(claimed)
    assert [parcel["customer_id"] for parcel in told(peers, "/internal/shipments/")] == ["bob"]
