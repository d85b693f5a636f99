"""The mails about orders: one for each event however often it is delivered, in two parts, and nothing in them runs."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from order_service import mails, services
from order_service.models import Order, Status
from order_service.tests.checkout import finish
from order_service.tests.conftest import ADDRESS, CARD, LINE, Fills, wish
from order_service.tests.world import World
from shopkit import topology
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("told")]
NASTY = '<script>alert("x")</script>'
EMAIL = "ada@example.com"


@pytest.fixture
def told(peers: Any) -> None:
    """Whoever else hears of orders takes it."""
    for peer in ("customer_router", "cart_service"):
        peers.post(internal(peer), json={"taken": True})


def internal(peer: str) -> re.Pattern[str]:
    return re.compile(re.escape(topology.service(peer).url) + "/internal/.*")


def placed(ada: Caller, fills: Fills, **more: Any) -> Order:
    given = {"payment": CARD, "email": EMAIL, **more}
    answer = ada.post("/api/orders/", wish(fills({**LINE, "name": NASTY}), **given))
    assert answer.status_code == 201, answer.content
    return Order.objects.get(pk=answer.data["id"])


def delivered() -> list[Any]:
    """The mails, after everything that waits has been delivered, by several at once, and all of it again."""
    for _ in range(2):
        at_once(lambda _number: delivery.deliver_due(), 3)
    return list(mail.outbox)


def test_a_paid_order_is_confirmed_once_in_text_and_html(world: World, ada: Caller, fills: Fills) -> None:
    order = finish(placed(ada, fills, shipping_address={**ADDRESS, "name": NASTY}))
    [sent] = delivered()
    assert (sent.to, sent.subject) == ([EMAIL], f"Your order {order.pk}")
    assert f"2 x {NASTY}: 59.98 USD" in sent.body
    [html] = [part for part, kind in sent.alternatives if kind == "text/html"]
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "64.98 USD" in html


@pytest.mark.parametrize("template", ["confirmation", "shipped", "payment_failed"])
def test_a_mail_about_an_order_says_what_each_line_and_charge_comes_to(
    world: World, ada: Caller, fills: Fills, template: str
) -> None:
    order = placed(ada, fills)
    mails.about_order(order=order, email=EMAIL, template=template, amount=None)
    [sent] = mail.outbox
    [html] = [part for part, kind in sent.alternatives if kind == "text/html"]
    for line in ("Goods: 59.98 USD", "Standard shipping: 5.00 USD", "Tax, 0 %: 0.00 USD", "Total: 64.98 USD"):
        assert line in sent.body
        assert line in html


def test_an_order_that_cannot_be_paid_is_told_so_once(world: World, ada: Caller, fills: Fills) -> None:
    world.card = "failed"
    assert finish(placed(ada, fills)).status == Status.PAYMENT_FAILED
    [sent] = delivered()
    assert "could not be paid" in sent.subject


def test_an_order_that_is_sent_and_given_back_in_parts_is_told_of_each(world: World, ada: Caller, fills: Fills) -> None:
    order = finish(placed(ada, fills))
    for _ in range(2):  # the carrier says it twice
        services.take_shipment_news(order_id=order.pk, status="picked_up")
        services.take_shipment_news(order_id=order.pk, status="in_transit")
    assert order.payment_id
    for refunded in (1000, 1000, 1500):
        news = {"order_id": order.pk, "payment_id": order.payment_id, "status": "partially_refunded"}
        services.take_payment_news(**news, refunded=refunded)
    subjects = sorted(sent.subject for sent in delivered())
    assert subjects == [
        *[f"Money back for your order {order.pk}"] * 2,
        f"Your order {order.pk}",
        f"Your order {order.pk} is on its way",
    ]
    texts = sorted(sent.body for sent in mail.outbox if "Money" in sent.subject)
    assert [text.split(" USD")[0] for text in texts] == ["10.00", "5.00"]


def test_without_an_email_nobody_is_written_to(world: World, ada: Caller, fills: Fills) -> None:
    finish(placed(ada, fills, email=""))
    assert delivered() == []
    assert not Message.objects.filter(kind=services.MAIL).exclude(state=Message.State.DONE).exists()


def test_a_customer_who_gave_no_email_is_written_to_at_their_own(
    world: World, ada: Caller, fills: Fills, peers: Any
) -> None:
    peers.replace("POST", internal("customer_router"), json={"taken": True, "email": "own@example.com"})
    order = finish(placed(ada, fills, email=""))
    assert [sent.to for sent in delivered()] == [["own@example.com"]]
    peers.replace("POST", internal("customer_router"), status=503)  # it is asked for once
    services.take_shipment_news(order_id=order.pk, status="in_transit")
    assert [sent.to for sent in delivered()] == [["own@example.com"]] * 2


def test_what_was_told_for_the_sake_of_a_mail_is_not_told_again_until_it_changes(
    world: World, ada: Caller, fills: Fills, peers: Any
) -> None:
    peers.replace("POST", internal("customer_router"), json={"taken": True, "email": "own@example.com"})
    order = finish(placed(ada, fills, email=""))
    for statuses in (["fulfilling"], ["fulfilling", "shipped"]):
        delivered()
        Message.objects.filter(state=Message.State.PENDING).update(lease_until=timezone.now())  # the news are due too
        delivered()
        told = [json.loads(call.request.body)["order"]["status"] for call in peers.calls if tells(call.request)]
        assert told == statuses
        services.take_shipment_news(order_id=order.pk, status="in_transit")


def tells(request: Any) -> bool:
    return bool(internal("customer_router").match(request.url))


def test_an_order_undone_by_its_customer_is_not_confirmed(world: World, ada: Caller, fills: Fills) -> None:
    order = placed(ada, fills)
    services.cancel_order(order=order)
    assert finish(order).status == Status.CANCELLED
    assert delivered() == []


@pytest.mark.parametrize("email", ["a@b.co\nBcc: c@d.co", "a@b.co\r\nSubject: x", "a@b.co, c@d.co"])
def test_an_address_with_a_header_in_it_is_refused(ada: Caller, fills: Fills, email: str) -> None:
    answer = ada.post("/api/orders/", wish(fills(), email=email))
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["email"])
