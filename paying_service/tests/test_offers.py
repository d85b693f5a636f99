"""What a customer offers for an order that waits to be paid."""

import uuid

import pytest

from paying_service.models import Due, Payment
from paying_service.tests import asking
from paying_service.tests.asking import ask, books, due, news, offer
from paying_service.tests.conftest import demand
from shopkit.idempotency import services as idempotency
from shopkit.outbox.models import Message
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)


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


@pytest.mark.parametrize("who", ["ada", "staff"])
def test_an_offer_whose_answer_was_not_kept_any_more_is_one_payment_when_it_is_repeated(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    client, body = request.getfixturevalue(who), demand() if who == "staff" else offer(due())
    asking.dies_once(monkeypatch, idempotency, "keep")
    answers = [client.post("/api/payments/", body, headers={"Idempotency-Key": "pay-1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 202, 202]
    assert Payment.objects.count() == 1


def test_an_unknown_provider_or_card_is_refused(ada: Caller) -> None:
    for changes, code in (({"provider": "stripe"}, "unknown_provider"), ({"token": "4242"}, "invalid_token")):
        answer = asking.order_service().post("/internal/payments/", asking.wanted(**changes))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        answer = ada.post("/api/payments/", offer(due(), **changes))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (Payment.objects.count(), Message.objects.count()) == (0, 0)
