"""Lines of a file ↔ items as the API is given them. No more than a line, or a record of CSV, is held at once."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from shopkit.errors import Invalid
from shopkit.items.kind import ItemKind
from shopkit.items.transfer import cells
from shopkit.mongo import Document
from shopkit.parsers import check_text

MAX_LINE = 256 * 1024  # bytes
NOT_UTF_8 = "This is not UTF-8; save the file as UTF-8 and try again."
Errors = dict[str, list[str]]


class Unreadable(Exception):
    """Of the file as a whole nothing can be made; one sentence, with the number of the line."""


@dataclass(frozen=True)
class Line:
    """One item of a file, and the number of the line on which it begins; with `errors`, what it says can't be read."""

    number: int
    values: Document = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)


def format_of(name: str, asked: str | None) -> str:
    """`csv` or `jsonl`, as asked for or as the file's name ends; `ValueError` where neither says."""
    by_name = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(Path(name).suffix.lower())
    if (found := asked or by_name) is None:
        raise ValueError("the file's name does not say whether it is .csv or .jsonl: say it with --format.")
    return found


def columns(kind: ItemKind) -> list[str]:
    """What a file has of an item: all that the API lets one write, and what tells which it is."""
    return ["id", "type", *(name for name, each in kind.reader.fields.items() if not each.read_only)]


def read(file: BinaryIO, *, kind: ItemKind, format: str) -> Iterator[Line]:  # noqa: A002  # what its option is called
    """The file's items, in turn. `Unreadable` where no more can be read."""
    return _read_csv(_lines(file), kind) if format == "csv" else _read_json(_lines(file))


def _lines(file: BinaryIO) -> Iterator[str]:
    """What is not UTF-8 is kept as halves of surrogate pairs, so that it is the line's own fault."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise Unreadable(f"Line {number} is longer than {MAX_LINE // 1024} KiB.")
        yield line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode("utf-8", "surrogateescape")


def _read_json(lines: Iterable[str]) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _checked(number, lambda line=line: _object(line))  # type: ignore[misc]


def _object(line: str) -> Document:
    _check_utf_8(line)
    try:
        parsed = json.loads(line, parse_constant=_refuse_constant)
    except ValueError as error:
        raise Invalid(details={"line": [f"This is not JSON: {error}."]}) from None
    if not isinstance(parsed, dict):
        raise Invalid(details={"line": ["This is not a JSON object."]})
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not in JSON")


def _read_csv(lines: Iterator[str], kind: ItemKind) -> Iterator[Line]:
    rows = csv.reader(lines, strict=True)
    header = _header(rows, kind)
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, errors={"line": [f"This is not CSV: {error}."]})
            continue
        if row:
            yield _checked(number, lambda row=row: _item(header, row, kind))  # type: ignore[misc]


def _header(rows: Iterator[list[str]], kind: ItemKind) -> list[str]:
    try:
        names = [name.strip() for name in next(rows, [])]
        _check_utf_8(*names)
    except (csv.Error, Invalid) as error:
        raise Unreadable(
            f"Line 1: {NOT_UTF_8 if isinstance(error, Invalid) else f'this is not CSV: {error}.'}"
        ) from None
    known = kind.reader.fields
    if not names or (unknown := [name for name in names if name not in known]):
        said = f"has columns that are not known: {', '.join(unknown)}" if names else "names no columns"
        raise Unreadable(f"Line 1 {said}. There are {', '.join(columns(kind))}, with commas between them.")
    if len(set(names)) < len(names):
        raise Unreadable("Line 1 names a column twice.")
    return names


def _item(header: list[str], row: list[str], kind: ItemKind) -> Document:
    _check_utf_8(*row)
    if len(row) != len(header):
        raise Invalid(details={"line": [f"There are {len(row)} cells, and {len(header)} columns."]})
    values: Document = {}
    for name, text in zip(header, row, strict=True):
        try:
            values[name] = cells.value(kind.reader.fields[name], text)
        except ValueError:
            raise Invalid(details={name: ["This begins with [ and is not a list in JSON."]}) from None
    return {name: each for name, each in values.items() if each is not cells.ABSENT}


def _check_utf_8(*texts: str) -> None:
    if any("\udc80" <= char <= "\udcff" for text in texts if not text.isascii() for char in text):
        raise Invalid(details={"line": [NOT_UTF_8]})


def _checked(number: int, parse: Callable[[], Document]) -> Line:
    try:
        values = parse()
        check_text(values)
    except Invalid as error:
        return Line(number, errors={name: list(messages) for name, messages in error.details.items()})
    except RecursionError:
        return Line(number, errors={"line": ["This is nested too deeply."]})
    return Line(number, values)


def writer(file: TextIO, *, kind: ItemKind, format: str) -> Callable[[Document], Any]:  # noqa: A002
    """What writes an item, as the API shows it, into the file; CSV begins with its columns."""
    names = columns(kind)
    if format == "jsonl":
        return lambda item: file.write(json.dumps({name: item[name] for name in names}, ensure_ascii=False) + "\n")
    rows = csv.writer(file)
    rows.writerow(names)
    return lambda item: rows.writerow([cells.cell(item[name]) for name in names])
