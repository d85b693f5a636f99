"""Items out to files and in again: nothing is lost, nothing is doubled, and what is refused is told by its line."""

import csv
import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkit import mongo
from shopkit.config import ROOT
from shopkit.items import changes, stock_log
from shopkit.items.kind import ItemKind
from shopkit.items.transfer import cells, files
from shopkit.testing import Caller

pytestmark = pytest.mark.usefixtures("store")
FORMATS = pytest.mark.parametrize("form", ["csv", "jsonl"])
EMMA = {"id": "book_emma", "name": "Emma", "author": "Jane Austen", "price": "9.99", "stock": 3, "tags": ["a", "b"]}
GROWTH_MB = 12

# what the API takes as text: no control characters but tabs and line ends, nothing blank around it
_CHARS = st.characters(blacklist_categories=["Cs", "Cc"], whitelist_characters="\t\n\r\"',;|[]=+-@\\")
TEXT = st.text(_CHARS, max_size=30).map(str.strip)
NAME = TEXT.filter(bool)
BOOKS = st.lists(
    st.fixed_dictionaries(
        {
            "name": NAME,
            "author": NAME,
            "description": TEXT,
            "brand": TEXT,
            "price": st.one_of(st.none(), st.integers(0, 10**9).map(lambda minor: f"{minor / 100:.2f}")),
            "stock": st.integers(0, 10**6),
            "low_stock_at": st.one_of(st.none(), st.integers(0, 100)),
            "tags": st.lists(NAME, max_size=4, unique=True),
            "collections": st.lists(NAME, max_size=2, unique=True),
            "pages": st.one_of(st.none(), st.integers(1, 1000)),
            "published": st.one_of(st.none(), st.dates().map(str)),
        }
    ),
    min_size=1,
    max_size=8,
)


class Said:
    """What a command said, and how it ended."""

    def __init__(self, command: str, *arguments: object, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.failed = ""
        try:
            call_command(command, *map(str, arguments), stdout=out, stderr=err, **options)
        except CommandError as error:
            self.failed = str(error)
        self.summary, self.told = out.getvalue(), err.getvalue()

    def count(self, name: str) -> int:
        number = self.summary.split(f" {name}")[0].split()[-1]
        return int(number.replace(",", ""))


def imported(file: Path, **options: Any) -> Said:
    return Said("import_items", file, **options)


def written(folder: Path, form: str, lines: list[dict[str, Any]]) -> Path:
    file = folder / f"items.{form}"
    if form == "jsonl":
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return file
    with file.open("w", newline="") as opened:
        rows = csv.DictWriter(opened, list(dict.fromkeys(name for line in lines for name in line)), restval="")
        rows.writeheader()
        rows.writerows({name: cells.cell(value) for name, value in line.items()} for line in lines)
    return file


def book_kind() -> ItemKind:
    kind: ItemKind = import_module("book_service.documents").KIND
    return kind


def shown() -> dict[str, dict[str, Any]]:
    """All items as a file has them."""
    names = files.columns(book_kind())
    found = (book_kind().reader.to_representation(item) for item in changes.items().find())
    return {item["id"]: {name: item[name] for name in names} for item in found}


@FORMATS
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=BOOKS)
def test_what_is_exported_is_imported_as_it_was(form: str, books: list[dict[str, Any]], tmp_path: Path) -> None:
    changes.items().delete_many({})
    staff = Caller(HTTP_HOST="localhost")
    for book in books:
        answer = staff.post("/api/books/", book)
        assert answer.status_code == 201, answer.content
    before, file = shown(), tmp_path / f"all.{form}"
    assert not Said("export_items", file).failed
    again = imported(file)
    assert (again.failed, again.count("unchanged")) == ("", len(books))
    changes.items().delete_many({})
    done = imported(file)
    assert (done.failed, done.count("added"), shown()) == ("", len(books), before)


@FORMATS
def test_what_is_imported_is_an_item_as_any_other(staff: Caller, tmp_path: Path, form: str) -> None:
    assert imported(written(tmp_path, form, [EMMA])).count("added") == 1
    item = staff.get("/api/books/book_emma/").json()
    assert {name: item[name] for name in EMMA} == EMMA
    assert (item["version"], item["rating"], item["currency"]) == (1, {"average": 0.0, "count": 0}, "USD")
    assert staff.get("/api/books/?search=jane emm").json()["count"] == 1
    assert [entry["kind"] for entry in staff.get("/api/books/book_emma/stock/log/").json()["results"]] == ["initial"]
    assert changes.items().count_documents({"untold": True}) == 1


def test_a_line_without_an_id_makes_an_item(tmp_path: Path) -> None:
    lines = [{"id": item_id, "name": "Emma", "author": "Jane Austen"} for item_id in ("", "book_1", "")]
    assert imported(written(tmp_path, "csv", lines)).count("added") == 3
    assert all(item_id.startswith("book_") for item_id in shown())


def test_the_stock_of_an_item_that_comes_again_is_accounted_for(staff: Caller, tmp_path: Path) -> None:
    for number in (3, 7):
        imported(written(tmp_path, "csv", [{**EMMA, "stock": number}]))
        stock_log.write()
        (row,) = stock_log.page_of_stock(after="")
        assert (row["available"], row["put_in"]) == (number, number)
        assert staff.delete("/api/books/book_emma/").status_code == 204


@FORMATS
def test_a_line_changes_the_fields_that_it_has_and_never_stock(staff: Caller, tmp_path: Path, form: str) -> None:
    imported(written(tmp_path, form, [EMMA]))
    line = {"id": "book_emma", "price": "12.00", "stock": 99, "tags": []}
    done = imported(written(tmp_path, form, [line]))
    assert (done.count("changed"), done.count("unchanged")) == (1, 0)
    assert "the stock is another" in done.summary
    item = staff.get("/api/books/book_emma/").json()
    assert (item["price"], item["stock"], item["tags"], item["version"]) == ("12.00", 3, [], 2)
    assert item["author"] == "Jane Austen"


def test_an_import_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    lines = [{**EMMA, "id": f"book_{number}"} for number in range(600)]
    file = written(tmp_path, "jsonl", lines[:400])
    assert imported(file).count("added") == 400
    again = imported(written(tmp_path, "jsonl", lines))
    assert (again.count("added"), again.count("unchanged")) == (200, 400)
    assert {item["version"] for item in changes.items().find()} == {1}


def test_items_that_are_there_can_be_left_alone(tmp_path: Path) -> None:
    imported(written(tmp_path, "csv", [EMMA]))
    done = imported(written(tmp_path, "csv", [{**EMMA, "name": "Other"}, {**EMMA, "id": "book_2"}]), skip_existing=True)
    assert (done.count("skipped"), done.count("added")) == (1, 1)
    assert shown()["book_emma"]["name"] == "Emma"


def test_of_lines_with_one_id_the_last_holds(tmp_path: Path) -> None:
    done = imported(written(tmp_path, "csv", [EMMA, {**EMMA, "name": "Emma II"}]))
    assert (done.count("added"), done.count("changed"), shown()["book_emma"]["name"]) == (1, 1, "Emma II")


@FORMATS
def test_each_refused_line_is_told_and_the_others_are_taken(tmp_path: Path, form: str) -> None:
    wrong = [{"id": "laptop_1"}, {"id": "book_a.b"}, {"type": "laptop"}, {"price": "-1"}, {"name": ""}, {"isbn": "12"}]
    file = written(tmp_path, form, [EMMA, *({**EMMA, "id": "book_new", **each} for each in wrong)])
    report = tmp_path / "errors.jsonl"
    done = imported(file, errors=str(report))
    told = [json.loads(line) for line in report.read_text().splitlines()]
    first = 3 if form == "csv" else 2
    assert [(each["line"], *each["errors"]) for each in told] == [
        (number, *each) for number, each in enumerate(wrong, first)
    ]
    assert f"line {first}: id: " in done.told
    assert (done.count("added"), done.count("refused"), done.failed) == (1, 6, "Some lines were refused.")


def test_lines_that_are_no_json_object_are_refused_alone(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    good = json.dumps(EMMA).encode()
    deep = b'{"name": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    bad = [b"{", b"[]", b'{"price": NaN}', "{“name”: 1}".encode("cp1252", "replace"), deep, b'{"name": "a\\u0000b"}']
    file.write_bytes(b"\n".join([b"\xef\xbb\xbf" + good, b"", *bad, b'{"name": "\xe9"}', good]))
    done = imported(file)
    assert (done.count("added"), done.count("unchanged"), done.count("refused")) == (1, 1, 7)
    assert "line 9: line: This is not UTF-8" in done.told


def test_a_record_of_csv_may_have_many_lines_and_is_named_by_its_first(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    rows = ["\ufeffname,author,price", '"Em\nma",Jane,1', "x,y", '"Two\r\nlines",Jane,cheap', "", 'a "b,c,1', 'Q"q,z,1']
    file.write_text("\n".join(rows), newline="")
    done = imported(file)
    assert [line.split(":")[0] for line in done.told.splitlines()] == ["line 4", "line 5"]
    assert done.count("added") == 3
    assert {item["name"] for item in shown().values()} == {"Em\nma", 'a "b', 'Q"q'}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no columns"),
        (b"name,pirce\n", "not known: pirce"),
        (b"name;author\n", "with commas between them"),
        (b"name,name\n", "a column twice"),
        ("name,author\n".encode("utf-16"), "Line 1: This is not UTF-8"),
        (b"name\n" + b"x" * 300_000, "Line 2 is longer than"),
    ],
)
def test_a_file_of_which_nothing_can_be_made_is_refused_as_a_whole(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes(content)
    assert said in imported(file).failed


def test_what_was_saved_in_another_encoding_is_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes("name,author\nEmma,Jane\nÉmile,Rousseau\n".encode("latin-1"))
    done = imported(file)
    assert (done.count("added"), done.count("refused")) == (1, 1)
    assert "line 3: line: This is not UTF-8" in done.told


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    imported(written(tmp_path, "csv", [EMMA]))
    file = written(
        tmp_path, "csv", [{**EMMA, "name": "x"}, {**EMMA, "id": "book_2"}, {**EMMA, "id": "book_3", "price": "z"}]
    )
    before, said = shown(), imported(file, dry_run=True)
    assert [said.count(each) for each in ("changed", "added", "refused")] == [1, 1, 1]
    assert (shown(), said.failed) == (before, "Some lines were refused. Nothing was written.")


def test_all_or_nothing(tmp_path: Path) -> None:
    good, bad = [{**EMMA, "id": "book_2"}], [{**EMMA, "id": "book_3", "price": "z"}]
    assert "Nothing was written" in imported(written(tmp_path, "csv", good + bad), all_or_nothing=True).failed
    assert not shown()
    assert imported(written(tmp_path, "csv", good), all_or_nothing=True).count("added") == 1
    assert len(shown()) == 1


def test_only_some_refused_lines_are_shown(tmp_path: Path) -> None:
    done = imported(written(tmp_path, "csv", [{"name": "", "author": "x"}] * 50))
    assert len(done.told.splitlines()) == 21
    assert "30 more lines" in done.told


def test_a_store_that_is_down_is_said_so(tmp_path: Path, settings: Any) -> None:
    file = written(tmp_path, "csv", [EMMA])
    here, settings.MONGO_URL = settings.MONGO_URL, "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50"
    mongo.close()
    failed = imported(file).failed, Said("export_items", tmp_path / "x.csv").failed
    settings.MONGO_URL = here
    mongo.close()
    assert [said.split(":")[0] for said in failed] == [
        "The store gave out after the first 0 items",
        "The store gave out",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "'=1", "''@", "'", "a=b", "'quoted'", ""])
def test_a_spreadsheet_takes_no_text_for_a_formula_and_it_comes_back_as_it_was(text: str) -> None:
    written_as = cells.cell(text)
    assert written_as[:1] not in tuple("=+-@") or not written_as
    assert cells.value(book_kind().reader.fields["description"], written_as) == text


@pytest.mark.parametrize(
    "words", [[], ["a"], ["a", "b c"], ["a|b"], ["[x"], ["["], ["=1", "b"], ["a,b", 'c"d'], ["a\nb"], ["|"]]
)
def test_a_list_is_one_cell(words: list[str]) -> None:
    assert cells.value(book_kind().reader.fields["tags"], cells.cell(words)) == words


def test_memory_does_not_grow_with_the_file(tmp_path: Path, mongo_url: str, settings: Any) -> None:
    peaks = [_peak_mb(tmp_path, lines, mongo_url, settings.MONGO_DATABASE) for lines in (1_000, 20_000)]
    print(f"peak MB for 1,000 lines and for 20,000: {peaks}")
    assert changes.items().count_documents({}) == 20_000
    assert peaks[1] - peaks[0] < GROWTH_MB


def _peak_mb(folder: Path, lines: int, mongo_url: str, database: str) -> float:
    file = folder / "many.jsonl"
    with file.open("w") as opened:
        for number in range(lines):
            opened.write(json.dumps({**EMMA, "id": f"book_{number}", "description": "words " * 50, "stock": 0}) + "\n")
    command = [sys.executable, "manage.py", "book_service", "import_items", str(file)]
    env = {**os.environ, "MONGO_URL": mongo_url, "MONGO_DATABASE": database}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    return used.ru_maxrss / 1024
