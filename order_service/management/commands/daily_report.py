"""`manage.py order_service daily_report --day 2026-01-02`: makes a day's sales report anew."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from order_service import reports
from shopkit.money import shown


class Command(BaseCommand):
    help = "Makes the sales report of a day (by UTC) anew, as when refunds or orders were put right; nobody is mailed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", required=True, type=date.fromisoformat, help="as in 2026-01-02")

    def handle(self, *_args: Any, day: date, **_options: Any) -> None:
        if day >= datetime.now(UTC).date():
            raise CommandError("That day is not over yet.")
        for report in reports.make(day=day):
            amounts = f"gross {shown(report.gross)}, refunds {shown(report.refunds)}, net {shown(report.net)}"
            self.stdout.write(f"{day} {report.currency}: {report.orders} orders, {amounts}")
