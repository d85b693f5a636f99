"""`manage.py SERVICE import_items FILE`: items of this service's type from CSV or JSON lines, however many.

Each line is held to the API's rules; those that break them are refused, by number, and the others are taken. A line
with the id of an item changes it (the fields it has), any other makes one.
"""

import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from shopkit.items.transfer import files
from shopkit.items.transfer.importing import Counts, Import

SHOWN = 20  # refused lines, on the terminal
SAY_SECONDS = 2.0


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()  # the service whose store this is was checked when it started

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the file; - for what is piped in")
        parser.add_argument("--format", choices=("csv", "jsonl"), help="where the file's name does not say")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--skip-existing", action="store_true", help="leave items alone that are there")
        parser.add_argument("--all-or-nothing", action="store_true", help="write nothing if a line would be refused")
        parser.add_argument("--errors", metavar="FILE", help="write each refused line's number and why, as JSON lines")

    def handle(self, *args: Any, file: str, all_or_nothing: bool, dry_run: bool, **options: Any) -> None:
        if all_or_nothing and file == "-":
            raise CommandError("--all-or-nothing reads the file twice, which can't be done with what is piped in.")
        try:
            counts = self._run(file, dry_run=dry_run or all_or_nothing, **options)
            if all_or_nothing and not dry_run and not counts.refused:
                counts = self._run(file, dry_run=False, **options)
            elif all_or_nothing:
                dry_run = True
        except (files.Unreadable, OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from None
        self.stdout.write(_said(counts, dry_run=dry_run))
        if counts.refused:
            raise CommandError("Some lines were refused." + (" Nothing was written." if dry_run else ""))

    def _run(self, file: str, *, dry_run: bool, skip_existing: bool, errors: str | None, **options: Any) -> Counts:
        kind = import_module(f"{settings.SERVICE.name}.documents").KIND
        form = files.format_of(file, options["format"])
        with _opened(file) as source, _report(errors) as report:
            refusals = Refusals(self.stderr, report)
            job = Import(kind, refusals.tell, dry_run=dry_run, skip_existing=skip_existing)
            try:
                self._follow(job.run(files.read(source, kind=kind, format=form)), source)
            except PyMongoError as error:
                raise CommandError(f"The store gave out after the first {job.counts.read:,} items: {error}") from None
            refusals.end()
        return job.counts

    def _follow(self, progress: Iterator[Counts], source: BinaryIO) -> None:
        began = said = time.monotonic()
        size = os.fstat(source.fileno()).st_size
        for counts in progress:
            if (now := time.monotonic()) - said >= SAY_SECONDS:
                said = now
                part = f", {100 * source.tell() // size} %" if size and source.seekable() else ""
                rate = f"{counts.read / (now - began):,.0f} a second"
                self.stderr.write(f"{counts.read:,} lines{part}, {counts.refused:,} refused; {rate}")


class Refusals:
    """Says why lines are refused: the first few on the terminal, all in the report."""

    def __init__(self, terminal: Any, report: TextIO | None) -> None:
        self._terminal, self._report = terminal, report
        self._told = 0

    def tell(self, line: files.Line) -> None:
        self._told += 1
        if self._report:
            told = {"line": line.number, "id": line.values.get("id"), "errors": line.errors}
            self._report.write(json.dumps(told, ensure_ascii=False) + "\n")
        if self._told <= SHOWN:
            why = " ".join(f"{name}: {' '.join(messages)}" for name, messages in line.errors.items())
            self._terminal.write(f"line {line.number}: {why}")

    def end(self) -> None:
        if self._told > SHOWN:
            rest = f"… and {self._told - SHOWN:,} more lines"
            self._terminal.write(rest if self._report else f"{rest}; --errors FILE keeps them all")


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
        yield file


@contextmanager
def _report(name: str | None) -> Iterator[TextIO | None]:
    if name is None:
        yield None
        return
    with Path(name).open("w", encoding="utf-8") as file:
        yield file


def _said(counts: Counts, *, dry_run: bool) -> str:
    numbers = {name: getattr(counts, name) for name in ("added", "changed", "unchanged", "skipped", "refused")}
    line = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    kept = f"\nOf {counts.stock_kept:,} the stock is another and stays so: change it with …/stock/."
    return f"{'Dry run: ' if dry_run else ''}{line}" + (kept if counts.stock_kept else "")
