"""A custom order's way from the wish to the parcel, and what may be done with it in each status."""

from datetime import timedelta

import pytest
from django.utils import timezone

from order_service import audit, clients, custom_orders, saga, services, tasks
from order_service.custom_models import CUSTOM_TRANSITIONS, CustomOrder
from order_service.models import Order, OrderLine, Saga
from order_service.tests.checkout import books, finish, later
from order_service.tests.conftest import ADDRESS, CUSTOM_PATH, Asks
from order_service.tests.deeds import brought_to, do, finish_all, order_of, pay, shown
from order_service.tests.world import Shop
from shopkit.testing import caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_wish_is_quoted_approved_paid_and_sent(shop: Shop, asks: Asks) -> None:
    asked = asks()
    custom = asked["id"]
    assert (asked["status"], asked["price"], asked["payment_url"], asked["order"]) == ("pending", None, None, None)
    quoted = do(custom, "quote", price="100.00", note="In blue").json()
    assert (quoted["status"], quoted["price"], quoted["note"]) == ("quoted", "100.00", "In blue")
    approved = do(custom, "approve").json()
    order = order_of(custom)
    assert approved["status"] == "approved"
    assert approved["payment_url"] == f"http://localhost/api/payments/{order.payment_id}/pay/"
    assert (approved["order"]["total"], approved["order"]["status"]) == ("105.00", "reserved")
    assert pay(shop, custom).status == "fulfilling"
    paid = shown(custom)
    assert (paid["status"], paid["payment_url"], paid["order"]["tracking_number"]) == ("paid", None, "PS0")
    assert shop.charges == 1
    assert [step["name"] for step in caller("ada").get(f"{CUSTOM_PATH}{custom}/timeline/").json()["results"]] == [
        "asked",
        "quoted",
        "approved",
        "linked",
        "paid",
    ]


def test_the_order_is_like_any_other_with_one_line_that_nobody_has_in_stock(shop: Shop, asks: Asks) -> None:
    custom = brought_to("paid", shop, asks)
    order = caller("ada").get(f"/api/orders/{order_of(custom).pk}/").json()
    [line] = order["items"]
    assert (line["item_type"], line["name"]) == (OrderLine.CUSTOM, "Custom order: A case with beads")
    assert (line["unit_price"], order["customer_id"], order["email"]) == ("100.00", "ada", "ada@example.com")
    assert [charge["kind"] for charge in order["charges"]] == ["shipping", "tax"]
    assert order["shipping_address"]["city"] == ADDRESS["city"]
    assert not [call for call in shop.calls if "reservations" in call]


def test_tax_is_of_where_it_goes(shop: Shop, asks: Asks) -> None:
    custom = asks(shipping_address={**ADDRESS, "country": "GB"})["id"]
    do(custom, "quote")
    assert do(custom, "approve").json()["order"]["tax"] == "21.00"


def test_a_payment_that_fails_may_be_asked_for_again(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    first = order_of(custom)
    shop.payments[str(first.payment_id)]["status"] = "failed"
    assert finish(first).status == "payment_failed"
    custom_orders.carry_on()
    assert (shown(custom)["status"], shown(custom)["payment_url"]) == ("quoted", None)
    assert do(custom, "approve").status_code == 200
    assert order_of(custom).pk != first.pk
    pay(shop, custom)
    assert (shown(custom)["status"], shop.charges) == ("paid", 1)


def test_while_the_provider_cannot_be_asked_the_link_comes_later(shop: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", shop, asks)
    authorise = shop._authorise
    shop.card = "pending"
    shop._authorise = lambda payment, body: None  # type: ignore[method-assign]
    assert do(custom, "approve").json()["payment_url"] is None
    shop._authorise, shop.card = authorise, "requires_action"  # type: ignore[method-assign]
    later()
    saga.run_due()
    custom_orders.carry_on()
    assert shown(custom)["payment_url"].endswith("/pay/")


def test_a_payment_that_waits_is_looked_at_rarely_since_nothing_is_held(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    due = Saga.objects.get(order=order_of(custom)).next_at - timezone.now()
    assert timedelta(minutes=4) < due <= timedelta(minutes=5)
    order = order_of(custom)
    assert order.payment_id
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="authorised", refunded=0)
    assert Saga.objects.get(order=order).next_at <= timezone.now()


def test_the_payment_s_page_is_known_to_us(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    order = order_of(custom)
    assert order.payment_id
    assert clients.payment(payment_id=order.payment_id).action_url.endswith("/pay/")


def test_the_sweep_and_the_mails_are_declared() -> None:
    assert custom_orders.carry_on in [sweep.run for sweep in tasks.SWEEPS]
    assert custom_orders.CUSTOM_MAIL in tasks.HANDLERS


def test_the_auditor_knows_what_has_no_stock_and_finds_what_disagrees(shop: Shop, asks: Asks) -> None:
    custom = brought_to("paid", shop, asks)
    found = books(shop)
    assert list(audit.audit(found)) == []
    CustomOrder.objects.filter(pk=custom).update(status="approved")
    assert {each.rule for each in audit.audit(found)} == {"custom ⇔ its order", "the log is a path"}


# -- each status and each deed

OK = ""
TABLE = {
    "pending": {"change": OK, "quote": OK, "approve": "not_quoted", "reject": OK},
    "quoted": {"change": OK, "quote": OK, "approve": OK, "reject": OK},
    "approved": {
        "change": "already_approved",
        "quote": "already_approved",
        "approve": "already_approved",
        "reject": OK,
    },
    **{
        status: dict.fromkeys(("change", "quote", "approve", "reject"), code)
        for status, code in {
            "paid": "already_paid",
            "rejected": "already_rejected",
            "expired": "quote_expired",
            "cancelled": "order_cancelled",
        }.items()
    },
}
BECOMES = {"quote": "quoted", "approve": "approved", "reject": "rejected"}


def test_the_table_has_every_status() -> None:
    assert set(TABLE) == set(CUSTOM_TRANSITIONS)


@pytest.mark.parametrize(("status", "deed"), [(status, deed) for status, deeds in TABLE.items() for deed in deeds])
def test_each_deed_is_done_where_it_may_be_and_changes_nothing_elsewhere(
    shop: Shop, asks: Asks, status: str, deed: str
) -> None:
    custom, code = brought_to(status, shop, asks), TABLE[status][deed]
    before, orders = shown(custom), Order.objects.count()
    answer = do(custom, deed)
    if code:
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert (shown(custom), Order.objects.count()) == (before, orders)
    else:
        assert answer.status_code == 200, answer.content
        assert answer.json()["status"] == BECOMES.get(deed, status)
    finish_all()
    assert list(audit.audit(books(shop))) == []


def test_an_approved_one_that_is_rejected_takes_its_order_and_payment_back(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    do(custom, "reject", note="No more beads")
    order = finish(order_of(custom))
    assert (order.status, shop.payments[str(order.payment_id)]["status"]) == ("cancelled", "voided")
    assert (shown(custom)["status"], shown(custom)["note"]) == ("rejected", "No more beads")


def test_what_is_being_paid_for_at_this_moment_is_not_rejected(shop: Shop, asks: Asks) -> None:
    custom = brought_to("approved", shop, asks)
    Saga.objects.update(step=Saga.Step.CAPTURE, lease_until=timezone.now() + timedelta(minutes=1))
    answer = do(custom, "reject")
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert shown(custom)["status"] == "approved"


def test_without_an_address_it_is_not_approved(shop: Shop, asks: Asks) -> None:
    custom = asks(shipping_address=None)["id"]
    do(custom, "quote")
    answer = do(custom, "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_address")
    assert do(custom, "change", caller("ada"), shipping_address=ADDRESS).status_code == 200
    assert do(custom, "approve").status_code == 200
