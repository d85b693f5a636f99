"""`manage.py SERVICE load_initial_data`: this service's sample data into its own store; what is there already stays."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shopkit import fixtures
from shopkit.config import ROOT


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()  # the service whose store this is was checked when it started

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", help="only this model's rows, such as vip_customer.benefit")

    def handle(self, *args: Any, model: str | None = None, **options: Any) -> None:
        path = ROOT / "fixtures" / f"{settings.SERVICE.name}.json"
        if not path.exists():
            raise CommandError(f"There is no sample data for {settings.SERVICE.name}: {path.name} is not in fixtures/.")
        entries = json.loads(path.read_text())
        if model:
            entries = [entry for entry in entries if entry["model"] == model]
        added, kept = fixtures.load(settings.SERVICE, entries)
        self.stdout.write(f"{added:>5} added, {kept:>5} there already")
