"""Single rows are read and written as the ORM does it."""

from shopkit.rows_testing import RowTests


class TestRows(RowTests):
    values = {"CartLine": {"quantity": 999}}
