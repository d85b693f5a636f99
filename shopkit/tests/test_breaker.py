"""When a breaker lets callers through."""

import pytest

from shopkit.breaker import Breaker
from shopkit.errors import Unavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.check()
        breaker.failed()


def refused(breaker: Breaker) -> str | None:
    """The `Retry-After` of a refusal; None when the caller may try."""
    try:
        breaker.check()
    except Unavailable as error:
        return error.headers["Retry-After"]
    return None


def test_four_failures_in_a_row_leave_it_closed(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert refused(breaker) is None
    assert breaker.state == "closed"


def test_the_fifth_opens_it(breaker: Breaker) -> None:
    fail(breaker, 5)
    assert refused(breaker) == "1"
    assert breaker.state == "open"


def test_a_success_in_between_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.succeeded()
    fail(breaker, 4)
    assert breaker.state == "closed"


def test_after_the_cooldown_one_trial_goes_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 1
    assert breaker.state == "half_open"
    assert refused(breaker) is None
    assert refused(breaker) == "1"


def test_a_successful_trial_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 1
    breaker.check()
    breaker.succeeded()
    assert [refused(breaker) for _ in range(3)] == [None] * 3


def test_each_failed_trial_doubles_the_cooldown_up_to_ten_seconds(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    seen = []
    for _ in range(6):
        clock.now += 20
        fail(breaker, 1)
        seen.append(refused(breaker))
    assert seen == ["2", "4", "8", "10", "10", "10"]


def test_a_success_makes_the_cooldown_short_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 1
    fail(breaker, 1)
    clock.now += 2
    breaker.check()
    breaker.succeeded()
    fail(breaker, 5)
    assert refused(breaker) == "1"


def test_a_trial_that_never_reports_does_not_jam_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 1
    assert refused(breaker) is None
    clock.now += 1
    assert refused(breaker) is None


def test_failures_that_were_on_their_way_when_it_opened_do_not_prolong_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    for _ in range(100):
        breaker.failed()
    clock.now += 1
    assert breaker.state == "half_open"
