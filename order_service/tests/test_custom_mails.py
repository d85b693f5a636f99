"""The mails about a custom order: each step is told once, in two parts, and nothing in them runs."""

from typing import Any

import pytest
from django.core import mail

from order_service import custom_orders
from order_service.tests.conftest import Asks
from order_service.tests.deeds import brought_to, do, order_of, pay
from order_service.tests.world import Shop
from shopkit.outbox import delivery
from shopkit.testing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def delivered() -> list[Any]:
    """The mails, after everything that waits has been delivered, by several at once, and all of it again."""
    for _ in range(2):
        at_once(lambda _number: delivery.deliver_due(), 3)
    return [each for each in mail.outbox if "ustom" in each.subject or "request" in each.subject]


def test_each_is_told_once_of_each_step_in_text_and_html(shop: Shop, asks: Asks) -> None:
    nasty = "<script>x</script>"
    asked = asks(description=nasty, name=nasty)
    received, to_staff = sorted(delivered(), key=lambda each: each.to)
    assert (received.to, to_staff.to) == (["ada@example.com"], ["staff@example.com"])
    assert nasty not in received.body
    assert asked["secret"] in received.body
    assert (nasty in to_staff.body, asked["secret"] in to_staff.body) == (True, False)
    do(asked["id"], "quote", price="100.00", note=nasty)
    do(asked["id"], "approve")
    custom_orders.carry_on()
    quoted, approved = sorted(delivered()[2:], key=lambda each: "paid" in each.subject)
    assert "100.00 USD" in quoted.body
    assert f"/api/payments/{order_of(asked['id']).payment_id}/pay/" in approved.body
    assert "Total: 105.00 USD" in approved.body
    assert not [part for each in mail.outbox for part, _kind in each.alternatives if nasty in part]
    pay(shop, asked["id"])
    delivered()
    assert [each.subject for each in mail.outbox[4:]] == [f"Your order {order_of(asked['id']).pk}"]


@pytest.mark.parametrize(("status", "words"), [("rejected", "cannot make"), ("expired", "held until")])
def test_what_comes_to_nothing_is_told_once(shop: Shop, asks: Asks, status: str, words: str) -> None:
    brought_to(status, shop, asks)
    assert [words in each.body for each in delivered()].count(True) == 1
