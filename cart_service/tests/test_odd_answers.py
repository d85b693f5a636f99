"""A router that answers with JSON of another shape than it should: an error of ours, and no crash."""

from collections.abc import Callable

import pytest
import responses

from cart_service import clients
from shopkit.errors import BadGateway
from shopkit.testing import ODD_ANSWERS, every_peer_answers

ASKED: dict[str, Callable[[], object]] = {
    "items": lambda: clients.items(ids=["book_1"]),
    "perks": lambda: clients.perks(customer_id="c1"),
}


@pytest.mark.parametrize("odd", [*ODD_ANSWERS, {"items": {"book_1": 1}}, {"items": {"book_1": {}}}], ids=repr)
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_an_odd_answer_is_a_bad_gateway(peers: responses.RequestsMock, ask: Callable[[], object], odd: object) -> None:
    every_peer_answers(peers, odd)
    with pytest.raises(BadGateway):
        ask()
