"""A peer that answers with JSON of another shape than it should: an error of ours, and no crash."""

import uuid
from collections.abc import Callable

import pytest
import responses

from order_service import clients, stock
from shopkit.auth import Identity
from shopkit.errors import BadGateway
from shopkit.testing import ODD_ANSWERS, every_peer_answers, refuses_odd_answers

ID = uuid.uuid4()
ASKED: dict[str, Callable[[], object]] = {
    "cart": lambda: clients.cart(cart_id=ID, identity=Identity(customer_id="c1")),
    "rate": lambda: clients.rate(country="XX", region="", weight_g=1, method="standard"),
    "reserve": lambda: stock.reserve(order_id=ID, lines={"book_1": 1}),
    "authorise": lambda: clients.authorise(payment_id=ID),
    "payment": lambda: clients.payment(payment_id=ID),
    "capture": lambda: clients.capture(payment_id=ID),
    "void": lambda: clients.void(payment_id=ID),
    "refund": lambda: clients.refund(payment_id=ID, refund_id=ID, amount=1),
    "ship": lambda: clients.ship(shipment_id=ID, order_id=ID),
    "all_payments": lambda: list(clients.all_payments()),
    "all_shipments": lambda: list(clients.all_shipments()),
    "all_stock": lambda: list(clients.all_stock()),
    "all_carts": lambda: list(clients.all_carts()),
}

test_an_odd_answer_is_a_bad_gateway = refuses_odd_answers(ASKED)


@pytest.mark.parametrize("odd", [odd for odd in ODD_ANSWERS if not isinstance(odd, dict)], ids=repr)
def test_whose_email_it_is_comes_in_an_object(peers: responses.RequestsMock, odd: object) -> None:
    every_peer_answers(peers, odd)
    with pytest.raises(BadGateway):
        clients.tell_customer(customer_id="c1", customer_type="vip", order={})
