"""Books: what every item service does, and a book's own fields and filters."""

import pytest

from book_service.serializers import isbn_checks
from shopkit.items.testing import ItemServiceTests


class TestBooks(ItemServiceTests):
    path = "/api/books/"
    item_type = "book"
    example = {
        "name": "Clean Architecture",
        "author": "Robert C. Martin",
        "isbn": "9780134494166",
        "publisher": "Pearson",
        "genre": "Software",
        "language": "English",
        "pages": 432,
        "published": "2017-09-10",
        "price": "34.99",
    }
    found_by = [
        "author=martin",
        "genre=software",
        "publisher=pears",
        "isbn=9780134494166",
        "language=english",
        "published_after=2017-09-09",
        "search=martin clean",
    ]
    not_found_by = ["author=fowler", "genre=soft", "published_after=2017-09-10", "isbn=9780132350884", "search=fowler"]
    invalid = [{"isbn": "9780134494167"}, {"author": ""}, {"pages": 0}, {"published": "yesterday"}]


@pytest.mark.parametrize(
    ("isbn", "checks"),
    [
        ("9780132350884", True),
        ("0132350882", True),
        ("080442957X", True),
        ("9780132350885", False),
        ("X80442957X", False),
    ],
)
def test_an_isbn_has_a_check_digit(isbn: str, checks: bool) -> None:
    assert isbn_checks(isbn) is checks
