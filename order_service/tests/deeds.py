"""What customers and staff do with a custom order, and how one comes to each status."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from order_service import custom_orders, saga
from order_service.custom_models import CustomOrder
from order_service.models import Order, Saga
from order_service.tests.checkout import finish, later
from order_service.tests.conftest import CUSTOM_PATH, Asks
from order_service.tests.world import Shop
from shopkit.testing import Caller, caller, staff_caller


def nobody() -> Caller:
    """Somebody without any identity: open access believes only this machine, and this is another."""
    return Caller(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.7")


def do(custom: str, deed: str, by: Caller | None = None, **body: Any) -> Any:
    path, who = f"{CUSTOM_PATH}{custom}/", by or staff_caller()
    if deed == "change":
        return who.patch(path, body or {"shipping_method": "express"})
    return who.post(f"{path}{deed}/", body or ({"price": "100.00"} if deed == "quote" else {}))


def shown(custom: str) -> Any:
    return staff_caller().get(f"{CUSTOM_PATH}{custom}/").json()


def order_of(custom: str) -> Order:
    order = CustomOrder.objects.get(pk=custom).order
    assert order
    return order


def pay(shop: Shop, custom: str) -> Order:
    """The customer pays on the provider's page, which tells of it."""
    order = order_of(custom)
    shop.payments[str(order.payment_id)]["status"] = "authorised"
    order = finish(order)
    custom_orders.carry_on()
    return order


def pass_time() -> None:
    """The quotes and the time to pay are over."""
    CustomOrder.objects.exclude(valid_until=None).update(valid_until=timezone.now() - timedelta(days=1))
    Saga.objects.update(pay_until=timezone.now())
    for _ in range(3):
        later()
        saga.run_due()
        custom_orders.carry_on()


def brought_to(status: str, shop: Shop, asks: Asks) -> str:
    """The id of one that came to be there as they do."""
    custom = str(asks()["id"])
    if status in ("quoted", "approved", "paid", "expired", "cancelled"):
        assert do(custom, "quote").status_code == 200
    if status in ("approved", "paid", "cancelled"):
        assert do(custom, "approve").status_code == 200
    if status == "paid":
        pay(shop, custom)
    if status == "cancelled":
        assert caller("ada").post(f"/api/orders/{order_of(custom).pk}/cancel/").status_code == 200
        custom_orders.carry_on()
    if status == "rejected":
        assert do(custom, "reject").status_code == 200
    if status == "expired":
        pass_time()
    assert shown(custom)["status"] == status
    return custom


def finish_all() -> None:
    for _ in range(6):
        later()
        saga.run_due()
        custom_orders.carry_on()
