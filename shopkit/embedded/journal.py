"""The SQLite file behind the store: every change is in it before it is answered, and it is read once, at the start."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson

from shopkit.embedded.values import CODEC, Document

_SCHEMA = """
CREATE TABLE IF NOT EXISTS collections (namespace TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS indexes (namespace TEXT, name TEXT, spec BLOB, PRIMARY KEY (namespace, name));
CREATE TABLE IF NOT EXISTS documents (namespace TEXT, key BLOB, body BLOB, PRIMARY KEY (namespace, key));
"""


class InUse(Exception):
    """Another server holds the file."""


class Journal:
    """Changes gather in one SQLite transaction until `commit`. Not thread-safe: the store's lock is around it."""

    def __init__(self, path: Path) -> None:
        """Open or create `path` and keep every other process out of it. Raises `InUse` and `sqlite3.Error`."""
        self._sqlite = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # Exclusive is SQLite's own lock: it goes when the process does, however that ends.
            self._sqlite.executescript(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;"
            )
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise InUse(f"{path} is in use by another embedded development store") from error

    @property
    def pending(self) -> bool:
        """Whether there are changes to commit."""
        return self._sqlite.in_transaction

    def commit(self) -> None:
        if self.pending:
            self._sqlite.execute("COMMIT")

    def rollback(self) -> None:
        if self.pending:
            self._sqlite.execute("ROLLBACK")

    def namespaces(self) -> list[str]:
        return [row[0] for row in self._sqlite.execute("SELECT namespace FROM collections ORDER BY rowid")]

    def documents(self, namespace: str) -> Iterator[Document]:
        """A collection's documents in the order of their insertion."""
        rows = self._sqlite.execute("SELECT body FROM documents WHERE namespace = ? ORDER BY rowid", (namespace,))
        return (bson.decode(body, CODEC) for (body,) in rows)

    def indexes(self, namespace: str) -> Iterator[Document]:
        """The specifications of a collection's indexes, as `createIndexes` takes them."""
        rows = self._sqlite.execute("SELECT spec FROM indexes WHERE namespace = ? ORDER BY rowid", (namespace,))
        return (bson.decode(spec, CODEC) for (spec,) in rows)

    def put_collection(self, namespace: str) -> None:
        self._write("INSERT INTO collections VALUES (?)", namespace)

    def drop_collection(self, namespace: str) -> None:
        self._write("DELETE FROM documents WHERE namespace = ?", namespace)
        self._write("DELETE FROM indexes WHERE namespace = ?", namespace)
        self._write("DELETE FROM collections WHERE namespace = ?", namespace)

    def put_index(self, namespace: str, name: str, spec: Document) -> None:
        self._write("INSERT INTO indexes VALUES (?, ?, ?)", namespace, name, bson.encode(spec))

    def delete_index(self, namespace: str, name: str) -> None:
        self._write("DELETE FROM indexes WHERE namespace = ? AND name = ?", namespace, name)

    def put_document(self, namespace: str, identity: Any, body: bytes) -> None:
        self._write(
            "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            namespace,
            bson.encode({"": identity}),
            body,
        )

    def delete_document(self, namespace: str, identity: Any) -> None:
        self._write("DELETE FROM documents WHERE namespace = ? AND key = ?", namespace, bson.encode({"": identity}))

    def _write(self, statement: str, *values: object) -> None:
        if not self.pending:
            self._sqlite.execute("BEGIN")
        self._sqlite.execute(statement, values)
