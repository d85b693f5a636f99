"""What was sold on a day, by UTC: made once a day and stored, so that it stays what it was.

Sold is what became paid on that day. Refunds are those given on that day, of whatever day's orders; what was never paid
counts for neither.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from order_service.models import DailyReport, Order, OrderEvent, OrderLine, Status
from shopkit.outbox import services as outbox

SETTLED = timedelta(minutes=5)  # after midnight: what was begun before it is written by then
MOST_DAYS = 31  # that are made up for, after a service was away
TOP = 10
REPORT = "daily_report"
NO_SALES = "USD"  # the currency of a day without any


def make_due() -> int:
    """Makes the reports of the days that are over and have none, since the last that has; of how many days."""
    last = (timezone.now() - SETTLED).astimezone(UTC).date() - timedelta(days=1)
    latest = DailyReport.objects.order_by("-day").values_list("day", flat=True).first() or last - timedelta(days=1)
    first = max(latest + timedelta(days=1), last - timedelta(days=MOST_DAYS - 1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return sum(_make_first(day) for day in days)


def _make_first(day: date) -> bool:
    """Makes a day's report and has it mailed, unless another just did."""
    try:
        with transaction.atomic():
            DailyReport.objects.bulk_create(_computed(day))
            if settings.ALERT_EMAIL:
                outbox.put(kind=REPORT, key=day.isoformat(), payload={"day": day.isoformat()})
    except IntegrityError:
        return False
    return True


@transaction.atomic
def make(*, day: date) -> list[DailyReport]:
    """Makes a day's report anew; one a currency. Nobody is mailed."""
    DailyReport.objects.filter(day=day).delete()
    return DailyReport.objects.bulk_create(_computed(day))


def _computed(day: date) -> list[DailyReport]:
    begin = datetime.combine(day, time(), UTC)
    events = OrderEvent.objects.filter(at__gte=begin, at__lt=begin + timedelta(days=1))
    sold = Order.objects.filter(pk__in=_became_paid(events))
    refunds = _refunds(events)
    currencies = {*sold.values_list("currency", flat=True), *refunds} or {NO_SALES}
    return [_of(day, currency, sold.filter(currency=currency), refunds.get(currency, 0)) for currency in currencies]


def _became_paid(events: "QuerySet[OrderEvent]") -> "QuerySet[OrderEvent, Any]":
    return events.filter(to_status=Status.PAID).exclude(from_status=Status.PAID).values("order_id")


def _refunds(events: "QuerySet[OrderEvent]") -> dict[str, int]:
    """By currency, of orders that were ever paid."""
    given = events.filter(amount__isnull=False, order__in=_became_paid(OrderEvent.objects.all()))
    summed = given.order_by().values("order__currency").annotate(sum=Sum("amount"))
    return {row["order__currency"]: row["sum"] for row in summed}


def _of(day: date, currency: str, sold: "QuerySet[Order]", refunds: int) -> DailyReport:
    lines = list(OrderLine.objects.filter(order__in=sold))
    gross = sum(sold.values_list("total", flat=True))
    return DailyReport(
        day=day,
        currency=currency,
        orders=sold.count(),
        items=sum(line.quantity for line in lines),
        gross=gross,
        refunds=refunds,
        net=gross - refunds,
        by_type=_summed(lines, "item_type"),
        top_items=_top(lines),
    )


def _summed(lines: Iterable[OrderLine], by: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"items": 0, "gross": 0})
    for line in lines:
        found[getattr(line, by)]["items"] += line.quantity
        found[getattr(line, by)]["gross"] += line.line_total
    return dict(sorted(found.items()))


def _top(lines: list[OrderLine]) -> list[dict[str, Any]]:
    names = {line.item_id: line.name for line in lines}
    most = sorted(_summed(lines, "item_id").items(), key=lambda each: (-each[1]["items"], each[0]))[:TOP]
    return [{"item_id": item_id, "name": names[item_id], **sums} for item_id, sums in most]
