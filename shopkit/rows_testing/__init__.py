"""What must hold of `shopkit.rows` with a service's models, on its store: that it gives what Django's ORM gives."""

from shopkit.rows_testing.asking import AskingTests
from shopkit.rows_testing.reading import ReadingTests
from shopkit.rows_testing.together import TogetherTests
from shopkit.rows_testing.writing import WritingTests


class RowTests(ReadingTests, WritingTests, AskingTests, TogetherTests):
    """All of it; `values` are those that the constraints of a model ask for, by the model's name."""
