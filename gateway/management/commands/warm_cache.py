"""`manage.py gateway warm_cache`: asks the gateway that runs for what most people ask first.

That has the catalogue's pages read from the disk and its counts counted; the gateway itself keeps answers for a second.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway import clients
from shopkit import topology
from shopkit.errors import ShopError

ORDERINGS = ("name", "price", "-price", "-rating", "-created_at")
TYPED = tuple(f"/api/{service.paths[0]}/" for service in topology.by_item_type().values())


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pages", type=int, default=3, help="of each order of the list of all items (3)")

    def handle(self, *_args: Any, pages: int, **_options: Any) -> None:
        try:
            asked = [self._ask(path) for path in _paths(pages)]
        except ShopError as error:
            raise CommandError(f"The gateway does not answer: {error} Is it running?") from None
        self.stdout.write(f"{sum(asked)} of {len(asked)} answers were given")

    def _ask(self, path: str) -> bool:
        given = clients.is_given(path)
        self.stdout.write(f"{'ok  ' if given else 'none'} {path}")
        return given


def _paths(pages: int) -> list[str]:
    """The last of them may not exist in a small shop."""
    lists = [f"/api/items/?ordering={each}&page={page}" for each in ORDERINGS for page in range(1, pages + 1)]
    return ["/api/items/", "/api/items/facets/", "/api/collections/", *TYPED, *lists]
