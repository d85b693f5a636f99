"""A router that answers with JSON of another shape than it should: an error of ours, and no crash."""

from collections.abc import Callable

from cart_service import clients
from shopkit.testing import ODD_ANSWERS, refuses_odd_answers

ASKED: dict[str, Callable[[], object]] = {
    "items": lambda: clients.items(ids=["book_1"]),
    "perks": lambda: clients.perks(customer_id="c1"),
}

ODD = [*ODD_ANSWERS, {"items": {"book_1": 1}}, {"items": {"book_1": {}}}]

test_an_odd_answer_is_a_bad_gateway = refuses_odd_answers(ASKED, ODD)
