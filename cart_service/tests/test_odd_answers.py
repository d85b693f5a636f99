"""A peer that answers with JSON of another shape than it should: an error of ours, and no crash."""

from collections.abc import Callable

import pytest
import responses

from cart_service import clients
from shopkit.testing import ODD_ANSWERS, every_peer_answers, refuses_odd_answers

ASKED: dict[str, Callable[[], object]] = {
    "perks": lambda: clients.perks(customer_id="c1"),
}

test_an_odd_answer_is_a_bad_gateway = refuses_odd_answers(ASKED)


@pytest.mark.parametrize("odd", [*ODD_ANSWERS, {"items": {"book_1": 1}}, {"items": {"book_1": {}}}], ids=repr)
def test_an_odd_answer_says_nothing_of_items(peers: responses.RequestsMock, odd: object) -> None:
    every_peer_answers(peers, odd)
    assert clients.items(ids=["book_1"]) == {}
