"""The outbox: what is written with a change is delivered, at least once or at most once, whatever happens between."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from structlog.testing import capture_logs

from shopkit.errors import Unavailable
from shopkit.outbox import delivery, metrics
from shopkit.outbox import services as outbox
from shopkit.outbox.handlers import AtMostOnce, NotSent, Undeliverable
from shopkit.outbox.models import Message
from shopkit.testing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
State = Message.State
Declare = Callable[..., None]
SECRET = "to ada@example.com"


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture(autouse=True)
def declare(monkeypatch: pytest.MonkeyPatch, told: list[Any]) -> Declare:
    """`event` and `mail` are told, unless another handler is declared."""

    def tell(message: Message) -> None:
        told.append(message.payload)

    def declared(**handlers: Any) -> None:
        known = {"event": tell, "mail": AtMostOnce(tell), **handlers}
        monkeypatch.setattr(delivery, "handlers", lambda: known)

    declared()
    return declared


def put(kind: str = "event", key: str | None = None) -> Message:
    with transaction.atomic():
        return outbox.put(kind=kind, payload={"text": SECRET}, key=key)


def put_claimed(kind: str = "event") -> Message:
    with transaction.atomic():
        return outbox.put_claimed(kind=kind, payload={"text": SECRET})


def news(text: str, after: timedelta = timedelta()) -> None:
    with transaction.atomic():
        outbox.put_news(kind="event", subject="order 1", payload={"text": text}, after=after)


def failing(error: BaseException) -> Callable[[Message], None]:
    def fail(_message: Message) -> None:
        raise error

    return fail


def let_time_pass(message: Message, seconds: float = delivery.LONGEST_WAIT) -> None:
    Message.objects.filter(pk=message.pk).update(lease_until=message.lease_until - timedelta(seconds=seconds))


def test_what_is_rolled_back_is_never_told(told: list[Any]) -> None:
    with transaction.atomic():
        outbox.put(kind="event", payload={})
        transaction.set_rollback(True)
    assert delivery.deliver_due() == 0
    assert told == []


def test_a_message_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        outbox.put(kind="event", payload={})


def test_what_is_committed_is_told_once_and_in_order(told: list[Any]) -> None:
    with transaction.atomic():
        for number in range(3):
            outbox.put(kind="event", payload={"number": number})
    assert delivery.deliver_due() == 3
    assert delivery.deliver_due() == 0
    assert told == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_a_request_can_deliver_its_own_message_at_once(told: list[Any]) -> None:
    mine = [put_claimed(), put_claimed()]
    assert delivery.deliver_due() == 0
    outbox.deliver_now(mine)
    assert len(told) == 2
    assert delivery.deliver_due() == 0
    assert set(Message.objects.values_list("state", flat=True)) == {State.DONE}


def test_what_a_request_could_not_deliver_is_tried_again_soon(declare: Declare, told: list[Any]) -> None:
    message = put_claimed()
    declare(event=failing(Unavailable()))
    outbox.deliver_now([message])
    declare()
    message.refresh_from_db()
    let_time_pass(message)
    assert delivery.deliver_due() == 1


def test_what_a_request_was_to_deliver_is_the_couriers_once_its_process_died(told: list[Any]) -> None:
    message = put_claimed()
    let_time_pass(message, delivery.LEASE.total_seconds())
    assert delivery.deliver_due() == 1
    outbox.deliver_now([message])  # it was only slow, and changes nothing any more
    message.refresh_from_db()
    assert (message.state, message.fence) == (State.DONE, 2)


def test_a_mail_is_nothing_to_deliver_at_once() -> None:
    with pytest.raises(AssertionError):
        put_claimed("mail")


def test_a_request_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch, told: list[Any]) -> None:
    monkeypatch.setattr(outbox, "NOW_SECONDS", 0)
    outbox.deliver_now([put_claimed()])
    assert told == []
    assert delivery.deliver_due() == 1


def test_the_courier_stops_for_the_other_sweeps(monkeypatch: pytest.MonkeyPatch, told: list[Any]) -> None:
    put()
    monkeypatch.setattr(delivery, "AT_A_TIME_SECONDS", 0)
    assert delivery.deliver_due() == 0
    assert told == []


def test_who_waits_longest_is_told_first(told: list[Any]) -> None:
    messages = [put() for _ in range(3)]
    for number, message in enumerate(messages):
        Message.objects.filter(pk=message.pk).update(payload={"number": number})
        let_time_pass(message, number)
    delivery.deliver_due()
    assert told == [{"number": 2}, {"number": 1}, {"number": 0}]


def test_the_same_key_is_one_message(told: list[Any]) -> None:
    assert put(key="order-1").pk == put(key="order-1").pk
    assert put(key="order-2").pk != put("mail", key="order-1").pk
    assert delivery.deliver_due() == 3


def test_many_couriers_tell_each_message_once(told: list[Any]) -> None:
    for _ in range(5):
        put()
        put("mail")
    assert sum(at_once(lambda _number: delivery.deliver_due(), 8)) == 10
    assert len(told) == 10


def test_an_event_that_fails_is_tried_again_later_and_for_ever(declare: Declare, told: list[Any]) -> None:
    message = put()
    declare(event=failing(Unavailable("cart_service is not available.")))
    for attempt in range(1, 9):
        assert delivery.deliver_due() == 0
        assert delivery.deliver_due() == 0  # not due yet
        message.refresh_from_db()
        assert (message.state, message.attempts) == (State.PENDING, attempt)
        assert message.last_error == "cart_service is not available."
        let_time_pass(message)
    declare()
    assert delivery.deliver_due() == 1
    message.refresh_from_db()
    assert (message.state, message.payload) == (State.DONE, {"text": SECRET})


def test_the_wait_between_attempts_grows_to_half_a_minute() -> None:
    waits = [delivery.wait(attempts).total_seconds() for attempts in (1, 2, 3, 4, 5, 6, 1000)]
    assert all(0.8 * most <= wait <= most for wait, most in zip(waits, (1, 2, 4, 8, 16, 30, 30), strict=True))


def test_a_message_of_a_kind_that_nobody_knows_waits(declare: Declare) -> None:
    message = put("news")
    assert delivery.deliver_due() == 0
    declare(news=lambda _message: None)
    let_time_pass(message)
    assert delivery.deliver_due() == 1


def test_an_event_whose_courier_died_is_told_by_another_after_its_lease(declare: Declare, told: list[Any]) -> None:
    message = put()
    declare(event=failing(SystemExit()))
    with pytest.raises(SystemExit):
        delivery.deliver_due()
    declare()
    assert delivery.deliver_due() == 0
    let_time_pass(message, 2 * delivery.LEASE.total_seconds())
    assert delivery.deliver_due() == 1
    assert len(told) == 1


def test_a_courier_that_was_too_slow_changes_nothing_any_more(declare: Declare) -> None:
    message = put()

    def slow(_message: Message) -> None:
        let_time_pass(message, 2 * delivery.LEASE.total_seconds())
        declare()
        assert delivery.deliver_due() == 1
        raise Unavailable

    declare(event=slow)
    assert delivery.deliver_due() == 0
    message.refresh_from_db()
    assert (message.state, message.last_error) == (State.DONE, "")


def test_what_was_read_before_another_tried_it_is_not_tried(declare: Declare, told: list[Any]) -> None:
    message, as_read = put(), Message.objects.get()
    declare(event=failing(Unavailable()))
    delivery.deliver_due()
    declare()
    message.refresh_from_db()
    let_time_pass(message)
    assert not delivery.attempt(as_read)
    assert told == []
    assert delivery.deliver_due() == 1


def test_a_mail_that_was_certainly_not_sent_is_tried_again(declare: Declare, told: list[Any]) -> None:
    message = put("mail")
    declare(mail=AtMostOnce(failing(NotSent("ConnectionRefusedError"))))
    assert delivery.deliver_due() == 0
    message.refresh_from_db()
    assert (message.state, message.last_error) == (State.PENDING, "ConnectionRefusedError")
    declare()
    let_time_pass(message)
    assert delivery.deliver_due() == 1
    assert told == [{"text": SECRET}]


@pytest.mark.parametrize("error", [TimeoutError(SECRET), ValueError(SECRET), Undeliverable("550")])
def test_a_mail_that_failed_in_any_other_way_is_never_tried_again(declare: Declare, error: Exception) -> None:
    message = put("mail")
    declare(mail=AtMostOnce(failing(error)))
    with capture_logs() as logs:
        delivery.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.payload) == (State.LOST, {})
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert SECRET not in f"{logs} {message.last_error}"


def test_a_mail_that_can_not_be_sent_for_days_is_given_up(declare: Declare) -> None:
    message = put("mail")
    Message.objects.update(created_at=timezone.now() - delivery.GIVE_UP - timedelta(seconds=1))
    declare(mail=AtMostOnce(failing(NotSent())))
    delivery.deliver_due()
    message.refresh_from_db()
    assert message.state == State.LOST


def test_a_mail_whose_courier_died_is_not_sent_twice_and_that_is_said(declare: Declare, told: list[Any]) -> None:
    message = put("mail")
    declare(mail=AtMostOnce(failing(SystemExit())))
    with pytest.raises(SystemExit):
        delivery.deliver_due()
    declare()
    message.refresh_from_db()
    delivery.look_after()
    let_time_pass(message, 2 * delivery.LEASE.total_seconds())
    with capture_logs() as logs:
        assert delivery.deliver_due() == 0
        delivery.look_after()
        delivery.look_after()
    assert [entry["event"] for entry in logs] == ["message may not have been sent"]
    message.refresh_from_db()
    assert (message.state, message.payload, told) == (State.LOST, {}, [])


def test_of_a_mail_that_is_sent_nothing_is_kept() -> None:
    message = put("mail")
    delivery.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.payload) == (State.DONE, {})


def test_what_is_done_is_kept_for_a_week() -> None:
    old, new, waiting = put(), put(), put("news")
    delivery.deliver_due()
    Message.objects.exclude(pk=new.pk).update(
        done_at=timezone.now() - timedelta(days=8), created_at=timezone.now() - timedelta(days=8)
    )
    Message.objects.filter(pk=waiting.pk).update(done_at=None)
    delivery.look_after()
    assert set(Message.objects.values_list("pk", flat=True)) == {new.pk, waiting.pk}
    assert not Message.objects.filter(pk=old.pk).exists()


def test_how_much_waits_is_measured() -> None:
    put()
    Message.objects.update(created_at=timezone.now() - timedelta(seconds=100))
    put()
    delivery.measure()
    assert metrics.PENDING._value.get() == 2
    assert 100 <= metrics.OLDEST._value.get() < 110
    delivery.deliver_due()
    delivery.measure()
    assert (metrics.PENDING._value.get(), metrics.OLDEST._value.get()) == (0, 0)


def test_a_commit_wakes_the_courier_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from shopkit import sweeper

    told = threading.Event()
    woken = sweeper.Sweeper([sweeper.Sweep(told.set, every=3600, woken=True)])
    monkeypatch.setattr(sweeper, "_running", woken)
    woken.start()
    assert told.wait(10)  # each sweep runs at the start
    told.clear()
    put()
    assert told.wait(10)
    woken.stop()


def test_news_of_one_subject_are_told_once_until_they_are_tried(told: list[Any]) -> None:
    news("first", after=timedelta(seconds=1))
    news("second", after=timedelta(seconds=1))
    assert delivery.deliver_due() == 0
    let_time_pass(Message.objects.get(), seconds=1)
    delivery.deliver_due()
    assert told == [{"text": "first"}]
    news("third")
    delivery.deliver_due()
    assert told == [{"text": "first"}, {"text": "third"}]


def test_what_changes_while_its_news_are_being_told_is_told_again(declare: Declare, told: list[Any]) -> None:
    changes = ["while it was told"]

    def tell(message: Message) -> None:
        told.append(message.payload)
        if changes:
            news(changes.pop())

    declare(event=tell)
    news("before")
    delivery.deliver_due()
    delivery.deliver_due()
    assert told == [{"text": "before"}, {"text": "while it was told"}]


def test_news_at_the_same_moment_as_their_delivery_are_never_lost(declare: Declare) -> None:
    """What a change leaves behind is read by a delivery that begins after it."""
    changed, heard = [0], [0]

    def tell(_message: Message) -> None:
        heard[0] = max(heard[0], changed[0])

    declare(event=tell)

    def change(turn: int) -> None:
        if turn % 2:
            delivery.deliver_due()
        else:
            with transaction.atomic():
                changed[0] = max(changed[0], turn)
                outbox.put_news(kind="event", subject="order 1", payload={})

    at_once(change, 60)
    delivery.deliver_due()
    assert (heard[0], changed[0]) == (58, 58)
