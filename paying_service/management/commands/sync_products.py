"""`manage.py paying_service sync_products`: Stripe's products and prices are made as the shop's items are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from paying_service import providers
from paying_service.models import Provider
from shopkit import topology
from shopkit.errors import ShopError


class Command(BaseCommand):
    help = "Makes or updates a product and a price at Stripe for each item that is for sale; may be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        gateway = topology.service("gateway").url
        parser.add_argument("--from", dest="url", default=gateway, help=f"the shop's gateway (default {gateway})")

    def handle(self, *_args: Any, url: str, **_options: Any) -> None:
        if Provider.STRIPE not in providers.offered():
            raise CommandError("Set SHOP_STRIPE_SECRET_KEY first.")
        from paying_service import products  # its SDK is imported where it is used

        try:
            changed = products.sync(products.items_of(url))
        except ShopError as error:
            raise CommandError(f"{error} What was done is kept; run this again.") from None
        self.stdout.write(f"{changed} items are new at Stripe or have changed.")
