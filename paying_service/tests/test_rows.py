"""Single rows are read and written as the ORM does it."""

from shopkit.rows_testing import RowTests


class TestRows(RowTests):
    values = {"Payment": {"amount": 2**40, "captured": 2**39, "refunded": 2**38}}
