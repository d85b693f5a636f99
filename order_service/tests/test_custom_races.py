"""What becomes of a custom order when several want something of it at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from order_service import audit, custom_orders, saga
from order_service.custom_models import CustomOrder
from order_service.models import Order
from order_service.tests.checkout import books, later
from order_service.tests.conftest import ASKED, CUSTOM_PATH, Asks
from order_service.tests.deeds import brought_to, do, finish_all, order_of, pay, shown
from order_service.tests.world import Shop
from shopkit.testing import at_once, caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_key_posted_by_many_at_once_is_one_custom_order(shop: Shop) -> None:
    ask = lambda _turn: caller("ada").post(CUSTOM_PATH, ASKED, HTTP_IDEMPOTENCY_KEY="k-2").status_code  # noqa: E731
    assert set(at_once(ask, 8)) <= {201, 409}
    assert CustomOrder.objects.count() == 1


def test_of_many_approvals_at_once_one_makes_the_order(shop: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", shop, asks)
    answers = at_once(lambda _turn: do(custom, "approve"), 8)
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), set(codes)) == (1, {200, 409})
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "already_approved",
        "conflict",
    }
    assert (Order.objects.count(), shown(custom)["status"]) == (1, "approved")
    pay(shop, custom)
    assert shop.charges == 1


def test_approved_and_expired_at_once_it_is_one_of_them(shop: Shop, asks: Asks) -> None:
    customs = [brought_to("quoted", shop, asks) for _ in range(4)]
    CustomOrder.objects.update(valid_until=timezone.now() + timedelta(milliseconds=150))

    def race(number: int) -> int:
        return do(customs[number // 2], "approve").status_code if number % 2 else custom_orders.carry_on()

    at_once(race, 8)
    CustomOrder.objects.filter(status="quoted").update(valid_until=timezone.now())
    custom_orders.carry_on()
    for custom in CustomOrder.objects.all():
        assert (custom.status, custom.order is None) in (("approved", False), ("expired", True))


def test_approved_and_quoted_anew_at_once_it_is_never_sold_at_a_price_that_is_not_its_own(
    shop: Shop, asks: Asks
) -> None:
    custom = brought_to("quoted", shop, asks)
    deeds = ["approve", "quote"] * 4
    at_once(lambda turn: do(custom, deeds[turn], **({"price": f"{turn}.50"} if turn % 2 else {})), 8)
    do(custom, "approve")
    assert order_of(custom).subtotal == CustomOrder.objects.get(pk=custom).price
    assert Order.objects.count() == 1


def test_rejected_and_paid_at_once_it_is_one_of_them(shop: Shop, asks: Asks) -> None:
    customs = [brought_to("approved", shop, asks) for _ in range(4)]
    for payment in shop.payments.values():
        payment["status"] = "authorised"
    later()

    def race(number: int) -> None:
        order = order_of(customs[number // 2])
        saga.run(order.pk) if number % 2 else do(customs[number // 2], "reject")

    at_once(race, 8)
    finish_all()
    assert list(audit.audit(books(shop))) == []
