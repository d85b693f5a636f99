"""A payment by the simulated provider, with everything that can be asked, told, lost or repeated, in any order."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from paying_service import checkout
from paying_service.keys import keys
from paying_service.models import TRANSITIONS, Payment, Refund, SimulatedCharge
from paying_service.providers import simulated, simulated_news
from paying_service.tests import asking
from paying_service.tests.asking import AMOUNT, ask, opened
from shopkit.errors import ShopError
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.signature import sign
from shopkit.testing import Caller

CARDS = st.sampled_from(list(simulated.CARDS))
GOOD_OR_ANY = st.one_of(st.just(asking.SUCCEEDS), CARDS)
WAYS = ("opened", "on the page", "authorised", "captured", "captured unheard")
LONG_AGO = "2000-01-01T00:00:00Z"


def reachable(start: str) -> set[str]:
    """All that may come of a status, by however many steps."""
    return {start}.union(*(reachable(status) for status in TRANSITIONS[start]))


class APayment(RuleBasedStateMachine):
    @initialize(card=GOOD_OR_ANY, way=st.sampled_from(WAYS))
    def is_opened(self, card: str, way: str) -> None:
        """And has gone some of its way already, for most of what can go wrong does so later."""
        Message.objects.all().delete()
        self.status = "pending"
        self.payment = opened("" if way == "on the page" else card)
        if way != "opened":
            ask(self.payment, "authorise")
        if way == "on the page":
            self.is_paid_on_the_page(card)
        if way in ("captured", "captured unheard"):
            ask(self.payment, "capture") if way == "captured" else self.is_captured_at_the_provider()

    @property
    def row(self) -> Payment:
        return asking.row(self.payment)

    @rule()
    def is_authorised(self) -> None:
        assert ask(self.payment, "authorise")[0] in (200, 409)

    @rule()
    def is_captured(self) -> None:
        assert ask(self.payment, "capture")[0] in (200, 409)

    @rule()
    def is_voided(self) -> None:
        assert ask(self.payment, "void")[0] in (200, 409)

    @rule(amount=st.one_of(st.none(), st.integers(1, AMOUNT + 1)))
    def is_given_back(self, amount: int | None) -> None:
        before = self.row
        code, _ = asking.refund(self.payment, amount)
        left = before.captured - before.refunded
        if (amount or left) > left or not left:
            assert code == 409

    @rule(amount=st.integers(1, AMOUNT))
    def is_given_back_at_the_provider(self, amount: int) -> None:
        with suppress(ShopError, SimulatedCharge.DoesNotExist):
            simulated.refund(self.row, key=f"by hand {time.monotonic_ns()}", amount=amount)

    @rule(accepted=st.booleans())
    def is_confirmed(self, accepted: bool) -> None:
        with suppress(ShopError):
            simulated.confirm(self.row, accepted=accepted)

    @rule(card=CARDS)
    def is_paid_on_the_page(self, card: str) -> None:
        with suppress(ShopError):
            simulated.choose(self.row, token=card)

    @rule()
    def is_captured_at_the_provider(self) -> None:
        if SimulatedCharge.objects.filter(key=self.row.provider_ref).exists():
            simulated.capture(self.row)

    @rule()
    def has_waited(self) -> None:
        SimulatedCharge.objects.filter(status="pending").update(ready_at=timezone.now())

    @rule(data=st.data(), times=st.integers(1, 3))
    def a_webhook_arrives(self, data: st.DataObject, times: int) -> None:
        sent = list(Message.objects.filter(kind=simulated_news.NEWS).order_by("pk"))
        if sent:
            message = data.draw(st.sampled_from(sent), label="of those that were sent")
            for _ in range(times):
                assert arrives(message.payload) == 200

    @rule()
    def the_inbox_is_worked_off(self) -> None:
        work_off("webhook")
        work_off(checkout.GIVE_BACK)

    @rule()
    def is_polled(self) -> None:
        asking.time_for_a_look()
        checkout.look_at_waiting()

    @invariant()
    def only_goes_forward(self) -> None:
        if hasattr(self, "status"):
            assert self.row.status in reachable(self.status)
            self.status = self.row.status

    @invariant()
    def its_amounts_fit(self) -> None:
        for row in Payment.objects.all():
            assert 0 <= row.refunded <= row.captured <= row.amount
        for charge in SimulatedCharge.objects.all():
            assert 0 <= charge.refunded <= charge.captured <= charge.amount

    def teardown(self) -> None:
        """All webhooks but one are lost; the polls, and that one, bring it to what the provider's books say."""
        if not hasattr(self, "payment"):
            return
        for _ in range(3):
            SimulatedCharge.objects.filter(status="pending").update(ready_at=timezone.now())
            self.is_polled()
            Refund.objects.update(created_at=LONG_AGO)
            checkout.finish_refunds()
            checkout.hear(payment_id=self.row.pk)
            work_off("webhook")
            work_off(checkout.GIVE_BACK)
        self.only_goes_forward()
        self.its_amounts_fit()
        charge = SimulatedCharge.objects.filter(key=self.row.provider_ref).first()
        books = (charge.captured, charge.refunded) if charge else (0, 0)
        assert (self.row.captured, self.row.refunded) == books
        if self.row.void_asked or self.row.status in ("voided", "failed"):
            assert books[0] == books[1]
        assert not Refund.objects.filter(done=False).exists()


def arrives(payload: dict[str, Any]) -> int:
    body = json.dumps(payload).encode()
    signature = sign(body, secret=simulated_news._secrets()[0], at=int(time.time()))
    nobody, headers = Caller(HTTP_HOST="localhost"), {"Simulated-Signature": signature}
    path = "/api/payments/webhooks/simulated/"
    return int(nobody.post(path, data=body, content_type="application/json", headers=headers).status_code)


def work_off(kind: str) -> None:
    for message in Message.objects.filter(kind=kind, state="pending"):
        assert delivery.attempt(message)


@pytest.mark.any_store
@pytest.mark.django_db(transaction=True)
def test_whatever_happens_in_any_order_the_money_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys(), "simulated_lost", 0.0)
    monkeypatch.setattr(keys(), "simulated_duplicates", 0.0)
    often = settings(
        max_examples=80, stateful_step_count=20, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(APayment, settings=often)
