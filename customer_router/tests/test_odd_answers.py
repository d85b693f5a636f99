"""A customer service that answers with JSON of another shape than it should: an error of ours, and no crash."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import responses

from customer_router import clients
from shopkit.errors import BadGateway
from shopkit.testing import ODD_ANSWERS, caller, every_peer_answers, refuses_odd_answers

MOVE: Any = SimpleNamespace(
    pk=uuid.uuid4(), customer_id="c1", origin="guest", target="registered", registration_id=None
)
ASKED: dict[str, Callable[[], object]] = {
    "place": lambda: clients.place(customer_id="c1"),
    "hold": lambda: clients.hold(MOVE),
    "registration": lambda: clients.registration(token="t"),
    "complete_registration": lambda: clients.complete_registration(token="t"),
    "session": lambda: clients.session(customer_id="c1"),
    "log_in": lambda: clients.log_in(body={}, client="192.0.2.1"),
    "profile": lambda: clients.profile(customer_id="c1", customer_type="vip"),
    "perks": lambda: clients.perks(customer_id="c1"),
    "is_guest": lambda: clients.is_guest(customer_id="c1"),
    "tell_sign_in": lambda: clients.tell_sign_in(peer="cart_service", sign_in={"guest_id": "c1"}),
}
OBJECTS: dict[str, Callable[[], object]] = {  # of which any object will do
    "register": lambda: clients.register(guest_id="c1", body={}, client="192.0.2.1"),
    "tell_order": lambda: clients.tell_order(customer_id="c1", customer_type="vip", order={}),
}

test_an_odd_answer_is_a_bad_gateway = refuses_odd_answers(ASKED)
NO_OBJECTS = [odd for odd in ODD_ANSWERS if not isinstance(odd, dict)]
test_what_is_no_object_is_a_bad_gateway = refuses_odd_answers(OBJECTS, NO_OBJECTS)


@pytest.mark.parametrize("customer", [None, "c1", [], {}, {"id": "c1"}, {"id": "c1", "customer_type": ["vip"]}])
def test_a_login_must_say_whose_it_is(peers: responses.RequestsMock, customer: object) -> None:
    every_peer_answers(peers, {"access": "a", "refresh": "r", "customer": customer})
    with pytest.raises(BadGateway):
        clients.log_in(body={}, client="192.0.2.1")


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD_ANSWERS, ids=repr)
def test_who_logs_in_meanwhile_is_told_so(peers: responses.RequestsMock, odd: object) -> None:
    every_peer_answers(peers, odd)
    answer = caller("g1", "guest").post("/api/auth/login/", {"email": "ada@example.com", "password": "secret"})
    assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")
