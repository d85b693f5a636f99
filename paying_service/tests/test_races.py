"""What happens to a payment that several move at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from paying_service.tests.conftest import Caller, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def at_once(action: Callable[[int], Any]) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return action(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(2 * AT_ONCE)))


def test_of_many_who_end_a_payment_one_does(payment: str, staff: Caller) -> None:
    ends = ("voided", "failed")
    codes = at_once(lambda number: staff_caller().patch(payment, {"status": ends[number % 2]}).status_code)
    assert sorted(codes) == [200] + [409] * (2 * AT_ONCE - 1)
    assert staff.get(payment).data["version"] == 2


def test_a_payment_is_never_both_deleted_and_captured(payment: str) -> None:
    def capture_or_delete(number: int) -> int:
        staff = staff_caller()
        return (staff.patch(payment, {"status": "captured"}) if number % 2 else staff.delete(payment)).status_code

    codes = at_once(capture_or_delete)
    assert sorted(code for code in codes if code < 300) in ([200], [204])
    assert set(codes) <= {200, 204, 404, 409}
