"""All collections of one file, one lock around them, and the cursors that are open over results."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from shopkit.embedded.collection import Collection
from shopkit.embedded.errors import CURSOR_NOT_FOUND, INVALID_NAMESPACE, StoreError
from shopkit.embedded.journal import Journal
from shopkit.embedded.values import Document

_IDLE_SECONDS = 600


class Cursor:
    """What is still to be fetched of a result that was complete when it was asked for."""

    def __init__(self, namespace: str, documents: list[Document]) -> None:
        self.namespace = namespace
        self.documents = documents
        self.used = time.monotonic()


class Store:
    def __init__(self, path: Path) -> None:
        """Open the file and read it whole. Raises `InUse` and `sqlite3.Error`."""
        self.collections: dict[str, Collection] = {}
        self._journal = Journal(path)
        self._lock = threading.Lock()
        self._cursors: dict[int, Cursor] = {}
        self._numbers = count(1)
        self._load()

    def _load(self) -> None:
        self.collections = {name: Collection(name, self._journal) for name in self._journal.namespaces()}
        for name, collection in self.collections.items():
            collection.load(self._journal.documents(name), self._journal.indexes(name))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One command: when it ends its writes are on disk, all of them; when it fails none, there or in memory."""
        with self._lock:
            try:
                yield
                self._journal.commit()
            except BaseException:
                if self._journal.pending:
                    self._journal.rollback()
                    self._load()
                raise

    def collection(self, namespace: str) -> Collection:
        """The collection of that name, or an empty one that is not kept."""
        return self.collections.get(namespace) or Collection(namespace, self._journal)

    def make(self, namespace: str) -> Collection:
        """The collection of that name, made if need be. Raises InvalidNamespace."""
        if namespace not in self.collections:
            database, _, name = namespace.partition(".")
            if not name or name.startswith((".", "system.")) or "$" in name or set(database) & set('/\\ "$*<>:|?'):
                raise StoreError(INVALID_NAMESPACE, f"Invalid namespace specified '{namespace}'")
            self.collections[namespace] = Collection(namespace, self._journal)
            self._journal.put_collection(namespace)
        return self.collections[namespace]

    def drop(self, namespace: str) -> None:
        if self.collections.pop(namespace, None):
            self._journal.drop_collection(namespace)

    def names(self, database: str) -> list[str]:
        """The names of a database's collections."""
        return [name.removeprefix(f"{database}.") for name in self.collections if name.startswith(f"{database}.")]

    def open_cursor(self, namespace: str, documents: list[Document]) -> int:
        """Keep the rest of a result; its number. A cursor nobody asks for is forgotten after ten minutes."""
        oldest = time.monotonic() - _IDLE_SECONDS
        self._cursors = {number: cursor for number, cursor in self._cursors.items() if cursor.used > oldest}
        number = next(self._numbers)
        self._cursors[number] = Cursor(namespace, documents)
        return number

    def cursor(self, number: int, namespace: str) -> Cursor:
        """Raises CursorNotFound."""
        cursor = self._cursors.get(number)
        if cursor is None or cursor.namespace != namespace:
            raise StoreError(CURSOR_NOT_FOUND, f"cursor id {number} not found")
        cursor.used = time.monotonic()
        return cursor

    def close_cursor(self, number: int) -> bool:
        return self._cursors.pop(number, None) is not None
