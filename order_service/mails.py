"""The mails about orders, and the one about a day's sales. Each is made of what is true when it is sent."""

from datetime import date
from typing import Any

from django.conf import settings

from order_service.models import DailyReport, Order
from shopkit import mail
from shopkit.money import shown
from shopkit.outbox.models import Message


def about_order(*, order: Order, email: str, template: str, amount: int | None) -> None:
    """`amount` is what was given back, in minor units; without an email nobody is told."""
    if email:
        mail.send(to=email, template=f"order_service/{template}", context=_told(order, amount))


def about_day(message: Message) -> None:
    day = date.fromisoformat(message.payload["day"])
    reports = [_reported(report) for report in DailyReport.objects.filter(day=day).order_by("currency")]
    if settings.ALERT_EMAIL and reports:
        context = {"day": day, "reports": reports}
        mail.send(to=settings.ALERT_EMAIL, template="order_service/daily_report", context=context)


def _told(order: Order, amount: int | None) -> dict[str, Any]:
    lines = [{"line": line, "total": shown(line.line_total)} for line in order.lines.all()]
    amounts = {name: shown(getattr(order, name)) for name in ("subtotal", "total")}
    charges = [{**charge, "amount": shown(charge["amount"])} for charge in order.charges]
    given_back = shown(amount) if amount is not None else ""
    return {
        "order": order,
        "lines": lines,
        "charges": charges,
        "front": settings.FRONT_URL,
        "amount": given_back,
        **amounts,
    }


def _reported(report: DailyReport) -> dict[str, Any]:
    amounts = {name: shown(getattr(report, name)) for name in ("gross", "refunds", "net")}
    by_type = [{"type": name, **counted, "gross": shown(counted["gross"])} for name, counted in report.by_type.items()]
    top = [{**item, "gross": shown(item["gross"])} for item in report.top_items]
    return {"report": report, "by_type": by_type, "top_items": top, **amounts}
