"""`manage.py SERVICE export_items [FILE]`: its items as CSV or JSON lines, as `import_items` takes them.

Everything that the API lets one write, by id. What comes of reviews, pictures and orders is not in it.
"""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from shopkit.items.transfer import exporting, files

SAY_SECONDS = 2.0


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()  # the service whose store this is was checked when it started

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="the file; - (or none) for standard output")
        parser.add_argument("--format", choices=("csv", "jsonl"), help="where the file's name does not say")

    def handle(self, *args: Any, file: str, format: str | None, **options: Any) -> None:  # noqa: A002
        try:
            form = files.format_of(file, format)
            if file == "-":
                sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
                count = self._write(sys.stdout, form)
            else:
                with Path(file).open("w", encoding="utf-8", newline="") as opened:
                    count = self._write(opened, form)
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from None
        except PyMongoError as error:
            raise CommandError(f"The store gave out: {error}") from None
        self.stderr.write(f"{count:,} items")

    def _write(self, file: TextIO, form: str) -> int:
        kind = import_module(f"{settings.SERVICE.name}.documents").KIND
        return self._follow(exporting.write(file, kind=kind, format=form))

    def _follow(self, written: Iterable[int]) -> int:
        said, number = time.monotonic(), 0
        for number in written:
            if (now := time.monotonic()) - said >= SAY_SECONDS:
                said = now
                self.stderr.write(f"{number:,} items so far")
        return number
