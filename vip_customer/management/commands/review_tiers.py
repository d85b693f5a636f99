"""`manage.py vip_customer review_tiers`: puts VIPs into the tier that the points of their last year give."""

from typing import Any

from django.core.management.base import BaseCommand

from vip_customer.services import review_tiers


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{review_tiers()} VIPs changed their tier")
