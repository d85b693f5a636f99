"""A custom order that nobody takes up or pays for expires in time, and what is paid after that is given back."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from order_service import custom_orders, services
from order_service.custom_models import CustomOrder
from order_service.models import Saga
from order_service.tests.conftest import Asks
from order_service.tests.deeds import brought_to, do, finish_all, order_of, pass_time, shown
from order_service.tests.world import Shop
from shopkit.outbox import delivery
from shopkit.testing import staff_caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_quote_holds_as_long_as_the_setting_says(shop: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", shop, asks)
    left = CustomOrder.objects.get(pk=custom).valid_until - timezone.now()  # type: ignore[operator]
    assert timedelta(days=13, hours=23) < left <= timedelta(days=settings.CUSTOM_ORDER_DAYS)


def test_a_quote_that_nobody_takes_up_expires_even_before_the_sweep(shop: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", shop, asks)
    CustomOrder.objects.update(valid_until=timezone.now())
    answer = do(custom, "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_expired")
    custom_orders.carry_on()
    assert shown(custom)["status"] == "expired"


def test_one_that_is_not_paid_expires_with_its_order_and_its_payment_is_void(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    pass_time()
    order = order_of(custom)
    assert (shown(custom)["status"], order.status) == ("expired", "expired")
    assert shop.payments[str(order.payment_id)]["status"] == "voided"


def test_a_payment_that_comes_after_expiry_is_given_back_and_changes_nothing(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    order = order_of(custom)
    shop.payments[str(order.payment_id)].update(status="captured", captured=order.total)
    Saga.objects.update(step=Saga.Step.UNDO_PAYMENT, goal="expired")  # it was decided just before
    finish_all()
    assert shop.payments[str(order.payment_id)]["refunded"] == order.total
    assert shown(custom)["status"] == "expired"


def test_another_payment_for_one_that_has_expired_is_undone(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    pass_time()
    order, other = order_of(custom), str(uuid.uuid4())
    shop.payments[other] = {"id": other, "status": "authorised", "captured": 0, "refunded": 0, "failure_code": ""}
    services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status="authorised", refunded=0)
    delivery.deliver_due()
    assert (shop.payments[other]["status"], shown(custom)["status"]) == ("voided", "expired")


def test_its_order_may_be_forgotten_once_it_is_cancelled(shop: Shop, asks: Asks) -> None:
    custom = brought_to("cancelled", shop, asks)
    assert staff_caller().delete(f"/api/orders/{order_of(custom).pk}/").status_code == 204
    assert shown(custom)["order"] is None
