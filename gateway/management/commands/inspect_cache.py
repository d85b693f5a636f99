"""`manage.py gateway inspect_cache`: what the gateway that runs keeps ready, and how often that was wanted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway import clients
from shopkit.errors import ShopError


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            counts = clients.cache_counts()
        except ShopError as error:
            raise CommandError(f"The gateway does not answer: {error} Is it running?") from None
        asked = sum(counts.answers.values())
        self.stdout.write(f"{counts.kept} answers kept, {counts.bytes / 1024:.0f} KB")
        for result, count in sorted(counts.answers.items()):
            self.stdout.write(f"{result:<10} {count:>10} {count / max(1, asked):>7.1%}")
