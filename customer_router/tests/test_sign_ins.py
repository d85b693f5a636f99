"""A guest who signs in: what was theirs is the customer's, unless they are a customer themselves by now."""

from typing import Any

import pytest
import responses
from django.utils import timezone

from customer_router import services
from shopkit import topology
from shopkit.outbox import delivery
from shopkit.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
PEERS = ("cart_service", "order_service", "paying_service", "shipping_service")
SESSION = {"access": "a", "refresh": "r", "customer": {"id": "ada", "customer_type": "registered"}}


def _url(service: str, path: str) -> str:
    return topology.service(service).url + path


@pytest.fixture
def told(peers: responses.RequestsMock) -> list[responses.BaseResponse]:
    """Logging in works; what carts, orders, payments and shipments are told is counted."""
    peers.add("POST", _url("registered_customer", "/api/auth/login/"), json=SESSION)
    peers.add("GET", _url("registered_customer", "/api/customers/ada/"), json=SESSION["customer"])
    tells = [_url(peer, "/internal/sign-ins/") for peer in PEERS]
    return [peers.add("POST", url, status=204) for url in tells]


def _is_at(peers: responses.RequestsMock, **place: Any) -> None:
    peers.add("GET", _url("guest_customer", "/internal/customers/g1/"), json={"spent": 0, **place})


def test_whoever_keeps_what_is_a_guests_is_told(peers: responses.RequestsMock, told: list[Any]) -> None:
    _is_at(peers, here=True, moved_to="", moving_to="")
    services.log_in(guest_id="g1", body={}, client="192.0.2.1")
    assert [each.call_count for each in told] == [1] * len(PEERS)


def test_a_guest_whom_nobody_knows_any_more_had_carts_all_the_same(
    peers: responses.RequestsMock, told: list[Any]
) -> None:
    gone = {"error": "There is nothing here.", "code": "not_found"}
    peers.add("GET", _url("guest_customer", "/internal/customers/g1/"), status=404, json=gone)
    services.log_in(guest_id="g1", body={}, client="192.0.2.1")
    assert [each.call_count for each in told] == [1] * len(PEERS)


def test_who_has_an_account_under_that_id_by_now_keeps_what_is_theirs(
    peers: responses.RequestsMock, told: list[Any]
) -> None:
    _is_at(peers, here=False, moved_to="registered", moving_to="")
    services.log_in(guest_id="g1", body={}, client="192.0.2.1")
    assert [each.call_count for each in told] == [0] * len(PEERS)
    assert not Message.objects.filter(state="pending").exists()


def test_nothing_is_told_while_it_is_open_where_the_guest_will_be(
    peers: responses.RequestsMock, told: list[Any]
) -> None:
    _is_at(peers, here=True, moved_to="", moving_to="registered")
    services.log_in(guest_id="g1", body={}, client="192.0.2.1")
    assert [each.call_count for each in told] == [0] * len(PEERS)
    peers.replace(
        "GET", _url("guest_customer", "/internal/customers/g1/"), json={"here": False, "moving_to": "", "spent": 0}
    )
    Message.objects.update(lease_until=timezone.now())
    delivery.deliver_due()
    assert [each.call_count for each in told] == [0] * len(PEERS)
    assert {message.state for message in Message.objects.all()} == {"done"}
