"""The pages people see: the simulated provider's own, and the one to try payments on."""

import re
import uuid
from typing import Any

import pytest

from paying_service import checkout, pages
from paying_service.models import Payment
from paying_service.providers import simulated
from paying_service.tests import asking
from paying_service.tests.asking import ask, books, clock, opened
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS_FIELDS = {"name", "line1", "line2", "city", "region", "postal_code", "country", "phone"}


@pytest.fixture
def page() -> str:
    """Of a payment whose customer is to choose a card."""
    payment = opened("")
    ask(payment, "authorise")
    return f"/api/payments/{payment}/pay/"


def nobody() -> Caller:
    """A browser on the page: it has no identity, and no cookie."""
    return Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION="", enforce_csrf_checks=True)


def submit(page: str, **fields: str) -> str:
    answer = nobody().post(page, fields, format="multipart")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    return answer.content.decode()


def test_the_page_shows_the_amount_and_the_test_cards_and_loads_nothing(page: str) -> None:
    answer = nobody().get(page)
    text = answer.content.decode()
    assert "64.98 USD" in text
    assert all(card in text for card in simulated.CARDS)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "<script" not in text
    assert "src=" not in text
    assert answer["Referrer-Policy"] == "no-referrer"


def test_a_card_that_is_chosen_is_authorised(page: str) -> None:
    assert "authorised" in submit(page, card=asking.SUCCEEDS)
    assert Payment.objects.get().status == "authorised"
    assert "nothing to confirm" in submit(page, card=asking.SUCCEEDS)
    assert "nothing to confirm" in submit(page, outcome="decline")
    assert books() == [("authorised", 0, 0)]


@pytest.mark.parametrize("card", [asking.DECLINED, asking.INSUFFICIENT])
def test_a_card_that_is_declined_leaves_the_choice_of_another(page: str, card: str) -> None:
    text = submit(page, card=card)
    assert simulated.MESSAGES[simulated.CARDS[card]] in text
    assert Payment.objects.get().status == "requires_action"
    assert "authorised" in submit(page, card=asking.SUCCEEDS)


@pytest.mark.parametrize(("outcome", "status"), [("confirm", "authorised"), ("decline", "failed")])
def test_a_card_that_asks_for_it_is_confirmed_or_declined(page: str, outcome: str, status: str) -> None:
    assert "Your bank asks" in submit(page, card=asking.NEEDS_CONFIRMATION)
    assert "Your bank asks" in nobody().get(page).content.decode()
    assert status in submit(page, outcome=outcome)
    assert Payment.objects.get().status == status


def test_a_card_that_is_late_is_waited_for(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(page, card=asking.LATE)
    assert Payment.objects.get().status == "requires_action"
    clock(monkeypatch, simulated.LATE)
    asking.time_for_a_look()
    assert checkout.look_at_waiting() == 1
    assert Payment.objects.get().status == "authorised"


@pytest.mark.parametrize("fields", [{}, {"outcome": "perhaps"}, {"outcome": "confirm"}, {"card": "4242424242424242"}])
def test_what_makes_no_sense_changes_nothing(page: str, fields: dict[str, Any]) -> None:
    assert 'role="alert"' in submit(page, **fields)
    assert (Payment.objects.get().status, books()) == ("requires_action", [("requires_action", 0, 0)])


def test_giving_up_fails_the_payment(page: str) -> None:
    assert "failed" in submit(page, outcome="decline")
    assert (Payment.objects.get().status, Payment.objects.get().failure_code) == ("failed", "not_confirmed")


def test_a_payment_that_is_void_is_paid_no_more(page: str) -> None:
    payment = page.split("/")[-3]
    assert ask(payment, "void") == (200, "voided")
    assert "nothing to confirm" in submit(page, card=asking.SUCCEEDS)
    assert books() == [("voided", 0, 0)]


def test_there_is_no_page_for_what_is_not_paid_there(staff: Caller) -> None:
    wish = {"order_id": str(uuid.uuid4()), "provider": "simulated", "method": "card", "amount": "1.00"}
    by_hand = staff.post("/api/payments/", wish)
    for payment in (uuid.uuid4(), by_hand.json()["id"], opened()):
        for ask_for in (nobody().get, nobody().post):
            assert ask_for(f"/api/payments/{payment}/pay/").status_code == 404


def test_the_page_to_try_payments_shows_the_cards(ada: Caller) -> None:
    answer = ada.get("/api/payments/test/")
    assert answer.status_code == 200
    assert all(card in answer.content.decode() for card in simulated.CARDS)
    nonce = answer["Content-Security-Policy"].split("'nonce-")[1].split("'")[0]
    assert f'nonce="{nonce}"' in answer.content.decode()


def test_the_page_to_try_payments_orders_to_an_address_as_orders_have_them(ada: Caller) -> None:
    page = ada.get("/api/payments/test/").content.decode()
    address = page.split("shipping_address = {")[1].split("}")[0]
    assert set(re.findall(r"(\w+):", address)) <= ADDRESS_FIELDS


def test_the_page_to_try_payments_is_not_there_in_production(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "may_be_tried", lambda: False)
    assert ada.get("/api/payments/test/").status_code == 404


@pytest.mark.parametrize(("production", "open_access"), [(True, False), (False, False)])
def test_it_is_for_open_access_in_development_alone(
    production: bool, open_access: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paying_service import keys

    monkeypatch.setattr(keys, "config", lambda: type("E", (), {"production": production, "open_access": open_access}))
    assert keys.may_be_tried() is False
