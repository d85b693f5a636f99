"""An item service that answers with JSON of another shape than it should: an error of ours, and no crash."""

from collections.abc import Callable

from items_router import clients
from shopkit.testing import refuses_odd_answers

ASKED: dict[str, Callable[[], object]] = {
    "changes_since": lambda: clients.changes_since(service="book_service", moment=0, after="", limit=1, seconds=1.0),
    "changes_of": lambda: clients.changes_of(service="book_service", ids=["book_1"], seconds=1.0),
}

test_an_odd_answer_is_a_bad_gateway = refuses_odd_answers(ASKED)
