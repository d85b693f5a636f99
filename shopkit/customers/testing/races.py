"""What comes at once with a move."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from shopkit.customers.testing.steps import (
    PROFILE,
    TICKET,
    TOLD,
    Steps,
    customers,
    everything,
    made,
    ok,
    router,
    step,
)
from shopkit.testing import at_once, staff_caller

TRIES = 50
AT_ONCE = pytest.mark.django_db(transaction=True)


def until_heard(ask: Callable[[], Any]) -> int:
    """Asks again while it ended a deadlock of MariaDB's, as the journal does; the status."""
    statuses = (int(ask().status_code) for _ in range(TRIES))
    return next(status for status in statuses if status < 500)


class RacesTests(Steps):
    """Either comes first, and nothing that was acknowledged is lost."""

    @AT_ONCE
    def test_what_is_written_while_they_leave_goes_along_or_is_refused(self) -> None:
        made()
        one, told = f"/api/{self.path}/c1/", "/internal/customers/c1/orders/"
        taken: list[Any] = []

        writes: list[Callable[[int], Any]] = [
            lambda number: staff_caller().patch(one, {"phone": str(number)}),
            lambda number: staff_caller().post(f"{one}history/", {"item_id": f"book_{number}"}),
            lambda number: router().post(told, {**TOLD, "order_id": f"o{number}"}),
        ]

        def act(number: int) -> int:
            if number != 7:
                return int(writes[number % 3](number).status_code)
            taken.append(self.leave()["customer"])
            return 0

        codes = at_once(act, 24)
        assert set(codes) <= {0, 200, 201, 409, 307}
        kept = [[number for number in range(which, 24, 3) if codes[number] in (200, 201)] for which in range(3)]
        rows = taken[0]["rows"]
        assert taken[0]["profile"]["phone"] in ([str(number) for number in kept[0]] or [PROFILE["phone"]])
        assert {f"book_{number}" for number in kept[1]} <= {each["item_id"] for each in rows["viewed_items"]}
        assert {f"o{number}" for number in kept[2]} <= {each["order_id"] for each in rows["purchases"]}

    @AT_ONCE
    def test_of_moves_that_begin_at_once_one_holds(self) -> None:
        made()
        codes = at_once(lambda number: self.hold(uuid.UUID(int=number + 1)).status_code, 8)
        assert sorted(codes) == [200] + [409] * 7

    @AT_ONCE
    def test_of_leaving_and_being_released_at_once_one_counts(self) -> None:
        made()
        ok(self.hold())
        codes = at_once(lambda number: step(("leave", "release")[number % 2]).status_code, 8)
        left = bool(customers().get(pk="c1").moved_to)
        assert codes == ([200, 409] * 4 if left else [409, 200] * 4)

    @AT_ONCE
    def test_of_arriving_and_being_refused_at_once_the_refusal_counts(self) -> None:
        steps: list[Callable[[], Any]] = [self.arrive, lambda: step("refuse", origin=self.other)]
        at_once(lambda number: until_heard(steps[number % 2]), 8)
        self.at_other(self.see(f"?moved={TICKET}"))
        assert not any(everything()["rows"].values())

    @AT_ONCE
    def test_who_brings_the_ticket_at_once_with_settling_finds_one_customer(self) -> None:
        ok(self.arrive())
        codes = at_once(lambda number: (self.see(f"?moved={TICKET}") if number % 2 else step("settle")).status_code, 8)
        assert codes == [200] * 8
        assert len(everything()["rows"]["purchases"]) == 1
