"""`manage.py items_router rebuild_recommendations`: finds each item's neighbours, and what sells, from all signals."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from items_router.recommending import rebuilding


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            number = rebuilding.rebuild()
        except PyMongoError as error:
            raise CommandError(f"The store gave out: {error}") from None
        self.stdout.write(f"{number:,} items have neighbours")
