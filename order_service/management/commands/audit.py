"""`manage.py order_service audit`: do money, goods and orders agree?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from order_service import audit
from order_service.models import Order
from shopkit.errors import ShopError


class Command(BaseCommand):
    help = "Reads every service and checks the shop's invariants: exit 0 and a table, or 1 and what is wrong, by id."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            books = audit.read()
        except ShopError as error:
            raise CommandError(f"{error} Without it nothing can be said; start it, and run this again.") from None
        findings = list(audit.audit(books))
        payments = sum(map(len, books.payments.values()))
        self.stdout.write(f"{'orders':<12}{Order.objects.count():>8}\n{'payments':<12}{payments:>8}")
        self.stdout.write(f"{'shipments':<12}{len(books.shipments):>8}\n{'items':<12}{len(books.stock):>8}")
        for finding in findings:
            self.stdout.write(f"WRONG  {finding.rule:<28} {finding.id}  {finding.why}")
        self.stdout.write(f"{'findings':<12}{len(findings):>8}")
        if findings:
            sys.exit(1)
