"""`manage.py items_router rebuild_catalogue`: reads all items anew; until that is done, what was there is shown."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from items_router import pulling
from items_router.catalogue import sources
from shopkit import topology
from shopkit.errors import ShopError
from shopkit.topology import Service


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--type", dest="only", choices=sorted(topology.by_item_type()), help="only items of this type"
        )

    def handle(self, *_args: Any, only: str | None = None, **_options: Any) -> None:
        for kind, service in topology.by_item_type().items():
            if only in (None, kind):
                self._read(kind, service)

    def _read(self, kind: str, service: Service) -> None:
        sources.claim(kind, every_seconds=0)
        pulling.begin_again(kind)
        read = 0
        try:
            while (source := sources.every()[kind]).round_at is not None:
                read += pulling.read_on(service, source)
                self.stdout.write(f"{kind:<10} {read:>8} read")
                self.stdout.flush()
        except ShopError as error:
            raise CommandError(f"{service.name}: {error} The rest is read when it is back.") from None
