"""`manage.py items_router evaluate_recommendations`: recall@10 and coverage, beside those of showing what sells.

The last thing that each customer liked is held out. Without `--ratings`, of generated purchases.
"""

from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from items_router.recommending import evaluating
from items_router.recommending.evaluating import Rating


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ratings", metavar="FILE", help="user,item[,rating[,timestamp]]; also :: or tabs between")
        parser.add_argument("--positive", type=float, default=evaluating.POSITIVE, help="what rating is liking (4)")
        parser.add_argument("--seed", type=int, default=1, help="of what is generated, and of ties in time")

    def handle(self, *_args: Any, ratings: str | None, positive: float, seed: int, **_options: Any) -> None:
        try:
            read: Iterable[Rating] = evaluating.read(Path(ratings)) if ratings else _generated(seed)
            result = evaluating.evaluate(read, seed=seed, positive=positive)
        except (evaluating.Unreadable, OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{result.customers:,} customers, {result.items:,} items, seed {seed}")
        for name, score in (("recommended", result.ours), ("popular", result.popular)):
            self.stdout.write(f"{name:<12} recall@{evaluating.AT} {score.recall:.3f}   coverage {score.coverage:.3f}")


def _generated(seed: int) -> Iterable[Rating]:
    purchases = import_module("fixtures.purchases").purchases(seed)
    return (Rating(customer, item, at=when) for customer, item, when in purchases)
