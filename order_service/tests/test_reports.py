"""A day's sales: what is counted, in which currency, once; and who may read it."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from order_service import reports
from order_service.models import DailyReport, Order, OrderEvent, OrderLine, Status
from shopkit.outbox import delivery
from shopkit.testing import at_once, caller, staff_caller

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/orders/reports/daily/"
TODAY = datetime.now(UTC).date()
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(reports, "SETTLED", timedelta(0))  # whatever time it is now
    settings.ALERT_EMAIL = "boss@example.com"


def sold(day: date, lines: dict[str, tuple[int, int]], currency: str = "USD", paid: bool = True) -> Order:
    """An order of `{item: (price, quantity)}`, with 5.00 for shipping."""
    goods = sum(price * quantity for price, quantity in lines.values())
    amounts = {"subtotal": goods, "shipping": 500, "tax": 0, "total": goods + 500}
    order = Order.objects.create(
        customer_type="guest", currency=currency, shipping_address={}, shipping_method="standard", **amounts
    )
    for item, (price, quantity) in lines.items():
        of = {"item_id": item, "item_type": item.partition("_")[0], "name": item.title()}
        OrderLine.objects.create(order=order, unit_price=price, quantity=quantity, **of)
    if paid:
        log(order, day, Status.AUTHORISED, Status.PAID)
    else:
        log(order, day, Status.RESERVED, Status.CANCELLED)
    return order


def log(order: Order, day: date, old: str, new: str, amount: int | None = None, hour: int = 23) -> None:
    event = OrderEvent.objects.create(order=order, name="x", from_status=old, to_status=new, amount=amount)
    at = datetime(day.year, day.month, day.day, hour, 59, 59, tzinfo=UTC)
    OrderEvent.objects.filter(pk=event.pk).update(at=at)


def a_day() -> None:
    first = sold(YESTERDAY, {"book_1": (1000, 2), "laptop_1": (90000, 1)})
    sold(YESTERDAY, {"book_1": (1100, 1)})
    sold(YESTERDAY, {"book_2": (700, 1)}, currency="EUR")
    sold(YESTERDAY, {"book_3": (100, 9)}, paid=False)
    old = sold(BEFORE, {"book_1": (1000, 1)})
    log(first, YESTERDAY, Status.PAID, Status.FULFILLING)
    log(first, YESTERDAY, Status.FULFILLING, Status.FULFILLING, amount=300)
    log(old, YESTERDAY, Status.DELIVERED, Status.REFUNDED, amount=1500)
    log(old, TODAY, Status.REFUNDED, Status.REFUNDED, amount=1, hour=0)


def test_a_day_is_what_was_paid_less_what_was_given_back_in_each_currency() -> None:
    a_day()
    assert reports.make_due() == 1
    answer = staff_caller().get(PATH, {"day": YESTERDAY.isoformat()})
    assert answer.status_code == 200
    euro, dollar = answer.json()["results"]
    assert (euro["currency"], euro["gross"], euro["refunds"], euro["net"]) == ("EUR", "12.00", "0.00", "12.00")
    assert (dollar["orders"], dollar["items"]) == (2, 4)
    assert (dollar["gross"], dollar["refunds"], dollar["net"]) == ("941.00", "18.00", "923.00")
    assert dollar["by_type"] == {
        "book": {"items": 3, "gross": "31.00"},
        "laptop": {"items": 1, "gross": "900.00"},
    }
    assert [item["item_id"] for item in dollar["top_items"]] == ["book_1", "laptop_1"]


def test_a_day_is_reported_and_mailed_once_however_many_report_it_and_however_often() -> None:
    a_day()
    at_once(lambda _number: reports.make_due(), 5)
    reports.make_due()
    assert DailyReport.objects.filter(day=YESTERDAY).count() == 2
    at_once(lambda _number: delivery.deliver_due(), 3)
    delivery.deliver_due()
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["boss@example.com"], f"Sales of {YESTERDAY}")
    assert "Gross 941.00, refunds 18.00, net 923.00" in sent.body
    assert "<strong>923.00</strong>" in sent.alternatives[0][0]


def test_a_day_without_sales_is_reported_too() -> None:
    reports.make_due()
    [report] = DailyReport.objects.all()
    assert (report.day, report.orders, report.net) == (YESTERDAY, 0, 0)


def test_days_that_were_missed_are_made_up_for() -> None:
    reports.make(day=YESTERDAY - timedelta(days=3))
    assert reports.make_due() == 3
    assert reports.make_due() == 0


def test_a_report_is_made_anew_by_hand_and_nobody_is_mailed() -> None:
    reports.make(day=YESTERDAY)
    sold(YESTERDAY, {"book_1": (1000, 1)})
    call_command("daily_report", day=YESTERDAY)
    [report] = DailyReport.objects.all()
    assert (report.gross, report.made_at <= timezone.now()) == (1500, True)
    assert mail.outbox == []


def test_a_day_that_is_not_over_has_no_report() -> None:
    with pytest.raises(CommandError, match="not over"):
        call_command("daily_report", day=TODAY)


def test_more_may_be_given_back_than_was_sold() -> None:
    log(sold(BEFORE, {"book_1": (1000, 1)}), YESTERDAY, Status.DELIVERED, Status.REFUNDED, amount=1500)
    reports.make(day=YESTERDAY)
    assert staff_caller().get(PATH).json()["results"][0]["net"] == "-15.00"


def test_reports_are_for_staff_in_pages_and_by_range() -> None:
    for number in range(1, 4):
        reports.make(day=TODAY - timedelta(days=number))
    assert caller("ada").get(PATH).status_code == 403
    found = staff_caller().get(PATH, {"from": BEFORE.isoformat(), "to": YESTERDAY.isoformat(), "page_size": 1}).json()
    assert (found["count"], [each["day"] for each in found["results"]]) == (2, [YESTERDAY.isoformat()])
    assert staff_caller().get(PATH, {"day": "never"}).status_code == 400
    assert staff_caller().get(f"/api/orders/{uuid.uuid4()}/").status_code == 404
