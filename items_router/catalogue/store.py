"""The catalogue's file: SQLite, written and read by all of the router's processes on this machine.

It holds nothing that the item services do not know, so a file of another version, or a broken one, is begun anew.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from shopkit.config import config

VERSION = 1  # of the tables below; raise it with any change to them
BUSY_SECONDS = 5.0

# The texts are folded before they come here, into words with spaces between; so the simplest tokenizer is the right
# one, and a word is a word to the item services' own search and to this one alike.
_TABLES = (
    """CREATE TABLE items (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
        created_at INTEGER NOT NULL, version INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        name TEXT NOT NULL, price INTEGER, stock INTEGER NOT NULL, rating REAL NOT NULL,
        brand TEXT NOT NULL, brand_key TEXT NOT NULL, heard REAL NOT NULL)""",
    "CREATE TABLE bodies (number INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    """CREATE TABLE gone (
        id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, version INTEGER NOT NULL, heard REAL NOT NULL)""",
    *(
        f"""CREATE TABLE {table} (
            value TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (value, number)) WITHOUT ROWID"""
        for table in ("tags", "collections")
    ),
    """CREATE VIRTUAL TABLE texts USING fts5(
        name, makers, description, tokenize="ascii tokenchars '_'", prefix='2 3')""",
    "CREATE TABLE state (generation INTEGER NOT NULL)",
    """CREATE TABLE sources (
        type TEXT PRIMARY KEY, tried_at REAL NOT NULL DEFAULT 0, reached_at REAL NOT NULL DEFAULT 0,
        failed_at REAL NOT NULL DEFAULT 0, complete INTEGER NOT NULL DEFAULT 0, round_at REAL DEFAULT 1,
        since INTEGER NOT NULL DEFAULT 0, after TEXT NOT NULL DEFAULT '', healed_at REAL NOT NULL DEFAULT 0,
        amiss INTEGER NOT NULL DEFAULT 0, untold INTEGER NOT NULL DEFAULT 0,
        hung INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX tags_of ON tags (number)",
    "CREATE INDEX collections_of ON collections (number)",
    "CREATE INDEX by_type ON items (type, heard)",
    "CREATE INDEX by_brand ON items (brand_key, brand)",
    "CREATE INDEX by_name ON items (name, id)",
    "CREATE INDEX by_created_at ON items (created_at, id)",
    "CREATE INDEX by_updated_at ON items (updated_at, id)",
    # with all that filters and facets look at, so that they need not look at the items themselves
    "CREATE INDEX by_price ON items (price, id, stock, type, brand_key)",
    *(f"CREATE INDEX by_{field} ON items ({field}, id)" for field in ("stock", "rating")),
    # many tie in these, and ties are in the order of ids in either direction
    *(f"CREATE INDEX by_{field}_down ON items ({field} DESC, id)" for field in ("price", "stock", "rating")),
)
_idle: deque[tuple[int, sqlite3.Connection]] = deque()
_opening = threading.Lock()
log = structlog.get_logger()


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """All that is read within is of one moment."""
    with _transaction("BEGIN") as connection:
        yield connection


@contextmanager
def writing() -> Iterator[sqlite3.Connection]:
    """One writer at a time, over all processes: keep it short."""
    with _transaction("BEGIN IMMEDIATE") as connection:
        yield connection


@contextmanager
def _transaction(begin: str) -> Iterator[sqlite3.Connection]:
    file, connection = _connection()
    try:
        connection.execute(begin)
        yield connection
        connection.execute("COMMIT")
    except BaseException as error:
        if _is_broken(error):
            _throw_away(file)
        elif connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        _idle.append((file, connection))


def _connection() -> tuple[int, sqlite3.Connection]:
    """One to the file that is there now: it may have been deleted, or thrown away, since the last time."""
    present = _present()
    with suppress(IndexError):
        while True:
            file, connection = _idle.pop()
            if file == present:
                return file, connection
            connection.close()
    with _opening:  # a new file takes its journal mode from one at a time, and the others do not wait by themselves
        opened = _opened(_path())
    return _present(), opened


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if not _is_broken(error):
            raise
        _throw_away(_present())
        return _open(path)


def _is_broken(error: BaseException) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _throw_away(file: int) -> None:
    """Removes a broken file, unless somebody has before; whoever comes next begins another."""
    log.error("the catalogue's file is broken, and begun anew")
    if file == _present():
        for part in ("", "-wal", "-shm"):
            _path().with_name(_path().name + part).unlink(missing_ok=True)


def _path() -> Path:
    return config().data / "catalogue.sqlite3"


def _present() -> int:
    """The number of the file that is there, which no other has while somebody holds it open; 0 if there is none."""
    with suppress(FileNotFoundError):
        return _path().stat().st_ino
    return 0


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    if _version(connection) != VERSION:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) != VERSION:  # nobody else has meanwhile
            _begin_anew(connection)
        connection.execute("COMMIT")
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _begin_anew(connection: sqlite3.Connection) -> None:
    kept = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql LIKE ?"
    for kind in ("CREATE VIRTUAL%", "CREATE TABLE%"):  # a virtual table takes its own ones with it
        for (name,) in connection.execute(kept, [kind]).fetchall():
            connection.execute(f'DROP TABLE "{name}"')
    for statement in _TABLES:
        connection.execute(statement)
    # above whatever a file before this one has come to
    connection.execute("INSERT INTO state VALUES (?)", [time.time_ns() // 1000])
    connection.execute(f"PRAGMA user_version = {VERSION}")


def prepare() -> None:
    """Makes the file, if need be, before several processes come to it at once. Who answered before says nothing now."""
    with writing() as connection:
        connection.execute("UPDATE sources SET reached_at = 0, failed_at = 0, hung = 0")
    close()


def close() -> None:
    """Closes the connections that nobody uses."""
    while _idle:
        _idle.pop()[1].close()


def raise_generation(connection: sqlite3.Connection) -> None:
    """What was read from the catalogue before this transaction may be out of date after it."""
    connection.execute("UPDATE state SET generation = generation + 1")


def generation(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT generation FROM state").fetchone()[0])
