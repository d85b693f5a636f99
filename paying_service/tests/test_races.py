"""What happens to a payment that several move at once."""

import pytest

from shopkit.testing import Caller, at_once, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 16


def test_of_many_who_end_a_payment_one_does(payment: str, staff: Caller) -> None:
    ends = ("voided", "failed")
    codes = at_once(lambda number: staff_caller().patch(payment, {"status": ends[number % 2]}).status_code, TIMES)
    assert sorted(codes) == [200] + [409] * (TIMES - 1)
    assert staff.get(payment).data["version"] == 2


def test_a_payment_is_never_both_deleted_and_captured(payment: str) -> None:
    def capture_or_delete(number: int) -> int:
        staff = staff_caller()
        return (staff.patch(payment, {"status": "captured"}) if number % 2 else staff.delete(payment)).status_code

    codes = at_once(capture_or_delete, TIMES)
    assert sorted(code for code in codes if code < 300) in ([200], [204])
    assert set(codes) <= {200, 204, 404, 409}
