"""A payment's way, as the order service asks for it: whatever is repeated, lost or at once, it is charged once."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from paying_service import checkout, simulated
from paying_service.models import Due, Payment, Refund, SimulatedCharge
from paying_service.tests import asking
from paying_service.tests.asking import AMOUNT, ask, books, captured, news, opened, refund, shown
from shopkit import topology
from shopkit.errors import Unavailable
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = tuple(simulated.CARDS)


class DiesError(Exception):
    """The process ended here."""


def dies_once(patch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    """The next call of it does nothing but die."""
    real, left = getattr(where, name), [1]

    def dying(*given: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise DiesError
        return real(*given, **named)

    patch.setattr(where, name, dying)


def clock(patch: pytest.MonkeyPatch, later: timedelta) -> None:
    """The provider's clock goes ahead of ours."""

    class Ahead:
        @staticmethod
        def now() -> Any:
            return timezone.now() + later

    patch.setattr(simulated, "timezone", Ahead)


# The test cards


def test_a_card_that_succeeds_is_charged() -> None:
    payment = captured()
    assert shown(payment) == ("captured", AMOUNT, 0)
    assert books() == [("captured", AMOUNT, 0)]


@pytest.mark.parametrize(("card", "code"), [(asking.DECLINED, "declined"), (asking.INSUFFICIENT, "insufficient_funds")])
def test_a_card_that_is_refused_says_why(card: str, code: str, ada: Caller) -> None:
    payment = opened(card)
    assert ask(payment, "authorise") == (200, "failed")
    body = ada.get(f"/api/payments/{payment}/").json()
    assert (body["failure_code"], body["failure_message"]) == (code, simulated.MESSAGES[code])
    assert ask(payment, "capture") == (409, "failed")
    assert books() == [("failed", 0, 0)]


@pytest.mark.parametrize(("outcome", "status"), [("confirm", "authorised"), ("decline", "failed")])
def test_a_card_that_needs_confirmation_waits_for_its_customer(
    outcome: str, status: str, ada: Caller, bob: Caller
) -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    assert ask(payment, "authorise") == (200, "requires_action")
    page = ada.get(f"/api/payments/{payment}/").json()["action_url"]
    assert bob.post(page, {"outcome": outcome}).status_code == 404
    assert ada.post(page, {"outcome": "perhaps"}).status_code == 400
    before = news(payment)
    answer = ada.post(page, {"outcome": outcome})
    assert (answer.status_code, answer.data["status"], answer.data["action_url"]) == (200, status, "")
    assert news(payment) == before + 1
    assert ada.post(page, {"outcome": outcome}).json()["code"] == "nothing_to_confirm"
    assert ask(payment, "authorise") == (200, status)


def test_a_late_card_succeeds_once_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened(asking.LATE)
    assert ask(payment, "authorise") == ask(payment, "authorise") == (200, "pending")
    clock(monkeypatch, simulated.LATE)
    assert checkout.look_at_waiting() == 0  # not asked after yet
    asking.time_for_a_look()
    asking.forget_news()
    assert checkout.look_at_waiting() == 1
    assert news(payment) == 1
    assert ask(payment, "capture") == (200, "captured")


def test_what_waits_is_asked_after_less_and_less_often() -> None:
    payment = opened(asking.NEEDS_CONFIRMATION)
    ask(payment, "authorise")
    Payment.objects.update(updated_at=timezone.now() - timedelta(seconds=60))
    asking.time_for_a_look()
    now = timezone.now()
    assert checkout.look_at_waiting() == 1
    assert Payment.objects.get().look_at >= now + timedelta(seconds=120)
    assert checkout.look_at_waiting() == 0
    Payment.objects.update(updated_at=timezone.now() - timedelta(days=1))
    asking.time_for_a_look()
    checkout.look_at_waiting()
    assert Payment.objects.get().look_at <= timezone.now() + checkout.LOOK_AT_MOST


# Repeated


def test_a_payment_that_is_opened_again_is_the_same() -> None:
    asked = asking.wanted()
    first, second = (asking.order_service().post("/internal/payments/", asked).json() for _ in range(2))
    assert first == second
    assert (Payment.objects.count(), first["status"], books()) == (1, "pending", [])


@pytest.mark.parametrize("card", NUMBERS)
def test_whatever_is_asked_twice_is_done_once(card: str) -> None:
    payment = opened(card)
    for step in ("authorise", "capture", "authorise", "void", "capture"):
        once = ask(payment, step)
        version, told = Payment.objects.get().version, news(payment)
        assert ask(payment, step) == once
        assert (Payment.objects.get().version, news(payment)) == (version, told)
    assert SimulatedCharge.objects.count() == 1
    taken = [AMOUNT] if card == asking.SUCCEEDS else [0]
    assert [charge.captured for charge in SimulatedCharge.objects.all()] == taken


@pytest.mark.parametrize("step", ["authorise", "capture", "void"])
def test_what_many_ask_at_once_is_done_once(step: str) -> None:
    payment = opened()
    if step != "authorise":
        ask(payment, "authorise")
    asking.forget_news()
    answers = at_once(lambda _turn: ask(payment, step), 16)
    assert {answer for answer in answers if answer[0] != 409} == {
        (200, {"authorise": "authorised", "capture": "captured", "void": "voided"}[step])
    }
    assert len(books()) == news(payment) == 1


@pytest.mark.parametrize("step", ["authorise", "capture", "void", "refunds"])
def test_an_answer_that_was_never_written_down_is_asked_for_again(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = {"authorise": opened, "capture": opened, "void": opened, "refunds": captured}[step]()
    if step in ("capture", "void"):
        ask(payment, "authorise")
    body = {"refund_id": str(uuid.uuid4())} if step == "refunds" else {}
    dies_once(monkeypatch, checkout, "apply")
    assert ask(payment, step, **body)[0] == 500
    asking.forget_news()
    status = {"authorise": "authorised", "capture": "captured", "void": "voided", "refunds": "refunded"}[step]
    assert ask(payment, step, **body) == (200, status)
    taken, back = (AMOUNT if step in ("capture", "refunds") else 0), (AMOUNT if step == "refunds" else 0)
    assert shown(payment) == (status, taken, back)
    assert [found[1:] for found in books()] == [(taken, back)]
    assert news(payment) == 1


@pytest.mark.parametrize("step", ["authorise", "capture", "void"])
def test_a_provider_that_was_never_reached_is_asked_again(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened()
    if step != "authorise":
        ask(payment, "authorise")
    dies_once(monkeypatch, simulated, step)
    assert ask(payment, step)[0] == 500
    status = {"authorise": "authorised", "capture": "captured", "void": "voided"}[step]
    assert ask(payment, step) == (200, status)
    assert [charge.status for charge in SimulatedCharge.objects.all()] == [status]


def test_a_payment_that_no_provider_has_heard_of_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, other = opened(), opened(asking.LATE)
    dies_once(monkeypatch, simulated, "authorise")
    assert ask(payment, "authorise")[0] == 500
    assert shown(payment) == ("pending", 0, 0)
    ask(other, "authorise")
    asking.time_for_a_look()
    clock(monkeypatch, simulated.LATE)
    assert checkout.look_at_waiting() == 2  # and the other one is looked at all the same
    assert shown(other) == ("authorised", 0, 0)
    assert ask(payment, "authorise") == (200, "authorised")


# Void


def test_what_was_voided_stays_voided() -> None:
    payment = opened()
    assert ask(payment, "void") == (200, "voided")
    assert news(payment) == 1
    assert ask(payment, "authorise") == (200, "voided")
    assert ask(payment, "capture") == (409, "voided")
    assert books() == []


@pytest.mark.parametrize("card", [asking.SUCCEEDS, asking.NEEDS_CONFIRMATION, asking.LATE])
def test_what_is_open_can_be_voided(card: str, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened(card)
    ask(payment, "authorise")
    assert ask(payment, "void") == (200, "voided")
    assert ada.post(f"/api/payments/{payment}/simulate/", {"outcome": "confirm"}).status_code == 409
    clock(monkeypatch, simulated.LATE)
    asking.time_for_a_look()
    checkout.look_at_waiting()
    assert (shown(payment), books()) == (("voided", 0, 0), [("voided", 0, 0)])


def test_a_refused_payment_stays_refused_when_it_is_voided() -> None:
    payment = opened(asking.DECLINED)
    ask(payment, "authorise")
    assert ask(payment, "void") == (200, "failed")


def test_money_that_was_taken_is_not_voided() -> None:
    payment = captured()
    assert ask(payment, "void") == (409, "captured")
    assert books() == [("captured", AMOUNT, 0)]
    refund(payment)
    assert ask(payment, "void") == (409, "captured")


@pytest.mark.parametrize("turn", range(4))
def test_of_capture_and_void_one_wins(turn: int) -> None:
    payment = opened()
    ask(payment, "authorise")
    answers = at_once(lambda number: ask(payment, ("capture", "void")[(number + turn) % 2]), 8)
    [(status, taken, _)] = books()
    assert (status, taken) in (("captured", AMOUNT), ("voided", 0))
    assert {found for code, found in answers if code == 200} == {status}
    for _ in range(2):  # what a capture took after the void was asked is given back
        delivery_of_give_back()
    assert shown(payment)[1] == taken
    assert sum(refunded for _, _, refunded in books()) in (0, taken)
    assert Refund.objects.count() <= 1


def test_a_void_that_was_on_its_way_before_the_charge_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, real = opened(), simulated.authorise

    def overtaken(**asked: Any) -> Any:
        assert ask(payment, "void") == (200, "voided")
        return real(**asked)

    monkeypatch.setattr(simulated, "authorise", overtaken)
    assert ask(payment, "authorise") == (200, "voided")
    assert [charge[1] for charge in books()] == [0]


def delivery_of_give_back() -> None:
    for message in Message.objects.filter(kind=checkout.GIVE_BACK):
        delivery.attempt(message.pk)


def test_a_success_that_comes_after_the_void_was_asked_is_given_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = opened()
    ask(payment, "authorise")
    dies_once(monkeypatch, simulated, "void")
    assert ask(payment, "void")[0] == 500
    assert ask(payment, "capture")[0] == 409
    simulated.capture(ref=Payment.objects.get().provider_ref)  # one that was asked for before
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert Message.objects.filter(kind=checkout.GIVE_BACK).count() == 1
    delivery_of_give_back()
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    checkout.give_back(payment_id=uuid.UUID(payment))
    checkout.look_at_waiting()
    assert (Refund.objects.count(), books()) == (1, [("captured", AMOUNT, AMOUNT)])


def test_a_capture_that_a_void_overtakes_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    payment, real = opened(), simulated.capture
    ask(payment, "authorise")

    def overtaken(**asked: Any) -> Any:
        charge = real(**asked)
        assert ask(payment, "void") == (409, "captured")
        return charge

    monkeypatch.setattr(simulated, "capture", overtaken)
    ask(payment, "capture")
    for _ in range(2):
        delivery_of_give_back()
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    assert books() == [("captured", AMOUNT, AMOUNT)]


# Capture


@pytest.mark.parametrize(
    ("card", "status"),
    [(asking.DECLINED, "failed"), (asking.NEEDS_CONFIRMATION, "requires_action"), (asking.LATE, "pending")],
)
def test_what_is_not_authorised_is_not_captured(card: str, status: str) -> None:
    payment = opened(card)
    assert ask(payment, "capture") == (409, "pending")
    ask(payment, "authorise")
    assert ask(payment, "capture") == (409, status)
    assert shown(payment)[1] == 0


# Refunds


def test_of_what_was_taken_parts_are_given_back_until_nothing_is_left() -> None:
    payment = captured()
    assert refund(payment, 1000) == (200, "partially_refunded")
    assert shown(payment) == ("partially_refunded", AMOUNT, 1000)
    assert refund(payment, AMOUNT - 999) == (409, "refund_exceeds_capture")
    assert refund(payment) == (200, "refunded")
    assert shown(payment) == ("refunded", AMOUNT, AMOUNT)
    assert refund(payment) == refund(payment, 1) == (409, "refund_exceeds_capture")
    assert books() == [("captured", AMOUNT, AMOUNT)]


def test_a_refund_counts_once_by_its_id() -> None:
    payment, one = captured(), str(uuid.uuid4())
    assert refund(payment, 1000, one) == refund(payment, 1000, one) == (200, "partially_refunded")
    assert books() == [("captured", AMOUNT, 1000)]
    assert news(payment) == 3  # authorised, captured, refunded


def test_a_refund_id_of_another_payment_is_refused() -> None:
    one = str(uuid.uuid4())
    refund(captured(), 1000, one)
    payment = captured()
    assert refund(payment, 1000, one) == (409, "refund_id_used")
    assert shown(payment) == ("captured", AMOUNT, 0)


@pytest.mark.parametrize("amount", [0, -1, "x"])
def test_a_refund_of_nothing_is_refused(amount: Any) -> None:
    assert refund(captured(), amount)[0] == 400


def test_nothing_is_given_back_of_what_was_not_taken() -> None:
    payment = opened()
    ask(payment, "authorise")
    assert refund(payment) == (409, "not_captured")


def test_refunds_at_once_never_give_back_more_than_was_taken() -> None:
    payment = captured()
    answers = at_once(lambda _turn: refund(payment, 1000)[0], 16)
    assert answers.count(200) == AMOUNT // 1000
    assert set(answers) == {200, 409}
    assert shown(payment) == ("partially_refunded", AMOUNT, 6000)
    assert books() == [("captured", AMOUNT, 6000)]


def test_the_same_refund_at_once_is_one() -> None:
    payment, one = captured(), str(uuid.uuid4())
    answers = at_once(lambda _turn: refund(payment, 1000, one)[0], 16)
    assert set(answers) == {200}
    assert books() == [("captured", AMOUNT, 1000)]


def test_a_refund_that_nobody_repeats_is_made_all_the_same(staff: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = captured()
    dies_once(monkeypatch, simulated, "refund")
    assert staff.post(f"/api/payments/{payment}/refund/", {"amount": "10.00"}).status_code == 500
    Refund.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert checkout.finish_refunds() == 1
    assert checkout.finish_refunds() == 0
    assert shown(payment) == ("partially_refunded", AMOUNT, 1000)
    assert books() == [("captured", AMOUNT, 1000)]


def test_staff_give_back_once_for_each_key(staff: Caller, ada: Caller) -> None:
    payment = captured()
    path = f"/api/payments/{payment}/refund/"
    assert ada.post(path, {"amount": "10.00"}).status_code == 403
    answers = [staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.json()["refunded"] for answer in answers} == {"10.00"}
    assert answers[1]["Idempotent-Replayed"] == "true"
    for _ in range(2):
        answer = staff.post(path, {"amount": "10.00"})
    assert answer.json()["refunded"] == "30.00"
    assert staff.post(path, {"amount": "64.98"}).json()["code"] == "refund_exceeds_capture"
    assert staff.post(path, {}).json()["status"] == "refunded"
    assert books() == [("captured", AMOUNT, AMOUNT)]


def test_staff_who_repeat_a_refund_that_broke_off_give_back_once(
    staff: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/payments/{captured()}/refund/"
    dies_once(monkeypatch, checkout, "apply")
    assert staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"}).status_code == 500
    answer = staff.post(path, {"amount": "10.00"}, headers={"Idempotency-Key": "back-1"})
    assert (answer.status_code, answer.json()["refunded"]) == (200, "10.00")
    assert books() == [("captured", AMOUNT, 1000)]


# Offers


def due(customer: str | None = "ada", amount: int = AMOUNT) -> str:
    order = str(uuid.uuid4())
    body = {"order_id": order, "customer_id": customer, "customer_type": "vip", "amount": amount, "currency": "USD"}
    assert asking.order_service().post("/internal/dues/", body).status_code == 204
    return order


def offer(order: str, **changes: Any) -> dict[str, Any]:
    return {"order_id": order, "provider": "simulated", "method": "card", "token": asking.SUCCEEDS, **changes}


def test_a_customer_pays_what_their_order_costs(ada: Caller) -> None:
    answer = ada.post("/api/payments/", offer(due(), amount="0.01", currency="EUR"))
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["amount"], body["currency"], body["customer_id"]) == ("pending", "64.98", "USD", "ada")
    assert news(body["id"]) == 1
    assert books() == []  # the order asks for the money
    assert ask(body["id"], "authorise") == (200, "authorised")


def test_only_an_orders_own_customer_pays_it(ada: Caller, bob: Caller) -> None:
    assert bob.post("/api/payments/", offer(due())).json()["code"] == "unknown_order"
    assert bob.post("/api/payments/", offer(due(None))).json()["code"] == "unknown_order"
    assert ada.post("/api/payments/", offer(str(uuid.uuid4()))).json()["code"] == "unknown_order"
    assert Payment.objects.count() == 0


def test_an_order_that_is_someone_elses_now_is_theirs_to_pay(ada: Caller, bob: Caller) -> None:
    order = due()
    Due.objects.filter(pk=order).update(customer_id="guest")
    assert ada.post("/api/payments/", offer(order)).status_code == 400
    body = {"order_id": order, "customer_id": "bob", "customer_type": "vip", "amount": 1, "currency": "USD"}
    asking.order_service().post("/internal/dues/", body)
    assert bob.post("/api/payments/", offer(order)).json()["amount"] == "0.01"


def test_an_unknown_provider_or_card_is_refused(ada: Caller) -> None:
    for changes, code in (({"provider": "stripe"}, "unknown_provider"), ({"token": "4242"}, "invalid_token")):
        answer = asking.order_service().post("/internal/payments/", asking.wanted(**changes))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        answer = ada.post("/api/payments/", offer(due(), **changes))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (Payment.objects.count(), Message.objects.count()) == (0, 0)


# What else holds


@pytest.mark.parametrize("card", NUMBERS)
def test_a_card_number_is_in_no_table_and_in_no_log(
    card: str, ada: Caller, staff: Caller, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    payment = opened(" ".join(card[at : at + 4] for at in range(0, 16, 4)))
    for step in ("authorise", "capture", "void"):
        ask(payment, step)
    refund(payment)
    ada.post("/api/payments/", offer(due(), token=card), headers={"Idempotency-Key": card[::-1]})
    ada.post("/api/payments/", offer(due(), token=card + "0"))
    asking.order_service().post("/internal/payments/", asking.wanted(card + "0"))
    shown_to_staff = staff.get("/api/payments/").content.decode()
    rows = [str(list(model.objects.values())) for model in apps.get_models()]
    written = [*rows, *capfd.readouterr(), caplog.text, shown_to_staff]
    assert any(payment in text or uuid.UUID(payment).hex in text for text in rows)
    for text in written:
        assert card not in text.replace(" ", "")


def test_the_order_is_told_of_each_change() -> None:
    payment = opened()
    told = [news(payment)]
    for step in ("authorise", "capture"):
        ask(payment, step)
        told.append(news(payment))
    for _ in range(2):
        refund(payment, 1000)
        told.append(news(payment))
    assert told == [0, 1, 2, 3, 4]


def test_what_the_order_is_told_is_how_the_payment_is_by_then(peers: Any) -> None:
    payment = captured()
    order = str(Payment.objects.get().order_id)
    url = f"{topology.service('order_service').url}/internal/payment-events/"
    peers.post(url, status=204)
    assert delivery.deliver_due() == 2
    sent = [json.loads(call.request.body) for call in peers.calls]
    assert sent == [{"payment_id": payment, "order_id": order, "version": 3, "status": "captured", "refunded": 0}] * 2


def test_a_payment_in_the_providers_hands_is_not_changed_by_hand(staff: Caller) -> None:
    payment = opened()
    path = f"/api/payments/{payment}/"
    for _ in range(2):
        for status in ("captured", "voided", "failed"):
            assert staff.patch(path, {"status": status}).json()["code"] == "not_by_hand"
        assert staff.delete(path).json()["code"] == "not_deletable"
        ask(payment, "authorise")
    assert shown(payment) == ("authorised", 0, 0)


@pytest.mark.parametrize("step", ["", "authorise/", "capture/", "void/", "refunds/"])
def test_only_services_ask(step: str, ada: Caller, staff: Caller) -> None:
    path = f"/internal/payments/{opened()}/{step}"
    for someone in (ada, staff):
        answer = someone.post(path, {"refund_id": str(uuid.uuid4())}) if step else someone.get(path)
        assert answer.status_code == 403
    assert ask(str(uuid.uuid4()), step.strip("/") or "void", refund_id=str(uuid.uuid4()))[0] == 404


def test_one_payment_that_cannot_be_looked_at_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = opened(asking.LATE), opened(asking.LATE)
    for payment in (first, second):
        ask(payment, "authorise")
    asking.time_for_a_look()
    clock(monkeypatch, simulated.LATE)
    real, left = simulated.fetch, [1]

    def away(*, ref: str) -> Any:
        if left:
            left.pop()
            raise Unavailable
        return real(ref=ref)

    monkeypatch.setattr(simulated, "fetch", away)
    assert checkout.look_at_waiting() == 2
    assert sorted(row.status for row in Payment.objects.all()) == ["authorised", "pending"]
