"""Single rows are read and written as the ORM does it."""

from shopkit.rows_testing import RowTests


class TestRows(RowTests):
    values = {
        "Order": {"subtotal": 2**40, "discount": 3, "shipping": 5, "tax": 7, "total": 2**40 + 9, "refunded": 0},
        "CustomOrder": {"price": 2**40, "status": "pending"},
    }
