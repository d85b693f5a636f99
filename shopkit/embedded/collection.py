"""One collection: its documents and indexes in memory, every change handed to the journal.

A stored document is never changed, only replaced; so what was read stays as it was read, and needs no copy.
"""

from collections.abc import Iterable, Iterator
from itertools import product

import bson

from shopkit.embedded.errors import (
    CANNOT_CREATE_INDEX,
    DUPLICATE_KEY,
    IMMUTABLE_FIELD,
    INVALID_ID_FIELD,
    OBJECT_TOO_LARGE,
    StoreError,
    Unsupported,
)
from shopkit.embedded.journal import Journal
from shopkit.embedded.matching import compile_filter, pinned_values
from shopkit.embedded.values import (
    Document,
    Key,
    check_storable,
    is_number,
    order,
    split_path,
    values_at,
    with_members,
)

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
_INDEX_OPTIONS = frozenset({"key", "name", "unique", "v", "background"})


class Index:
    """Hashes of one field or of a unique tuple of fields; any other index is remembered and not needed."""

    def __init__(self, spec: Document) -> None:
        for option in spec:
            if option not in _INDEX_OPTIONS:
                raise Unsupported(f"the index option {option}")
        for direction in spec["key"].values():
            if not is_number(direction) or direction not in (1, -1):
                raise Unsupported(f"an index of kind {direction!r}")
        if not spec["key"] or not spec.get("name"):
            raise StoreError(CANNOT_CREATE_INDEX, "an index needs a key and a name")
        self.spec = spec
        self.name: str = spec["name"]
        self.key: Document = spec["key"]
        self.unique = bool(spec.get("unique"))
        self._paths = [split_path(path) for path in self.key]
        self._entries: dict[tuple[Key, ...], dict[Key, None]] = {}

    @property
    def path(self) -> str | None:
        """The one field, or None if there are several."""
        return next(iter(self.key)) if len(self.key) == 1 else None

    def keys(self, document: Document) -> set[tuple[Key, ...]]:
        """Where the document is entered. Raises `Unsupported` for an array under a unique index."""
        if not self.unique and self.path is None:
            return set()
        columns = [[order(v) for v in with_members(values_at(document, parts))] for parts in self._paths]
        if self.unique and any(len(column) != 1 for column in columns):
            raise Unsupported(f"an array under the unique index {self.name}")
        return set(product(*columns))

    def refuse_duplicate(self, namespace: str, document: Document, keys: set[tuple[Key, ...]], owner: Key) -> None:
        for key in keys if self.unique else ():
            if self._entries.get(key, {owner: None}).keys() - {owner}:
                values = {path: _value_at(document, path) for path in self.key}
                raise _duplicate(namespace, self.name, self.key, values)

    def enter(self, keys: set[tuple[Key, ...]], owner: Key) -> None:
        for key in keys:
            self._entries.setdefault(key, {})[owner] = None

    def remove(self, keys: set[tuple[Key, ...]], owner: Key) -> None:
        for key in keys:
            owners = self._entries[key]
            del owners[owner]
            if not owners:
                del self._entries[key]

    def owners(self, values: Iterable[object]) -> Iterator[Key]:
        """The ids of the documents that hold one of the values."""
        for value in values:
            yield from self._entries.get((order(value),), ())


def _value_at(document: Document, path: str) -> object:
    value = values_at(document, split_path(path))[0]
    return None if order(value) == order(None) else value


def _duplicate(namespace: str, index: str, pattern: Document, values: Document) -> StoreError:
    shown = ", ".join(f"{path}: {value!r}" for path, value in values.items())
    message = f"E11000 duplicate key error collection: {namespace} index: {index} dup key: {{ {shown} }}"
    return StoreError(DUPLICATE_KEY, message, keyPattern=pattern, keyValue=values)


class Collection:
    """`namespace` is `database.collection`; `documents` are in the order of their insertion."""

    def __init__(self, namespace: str, journal: Journal) -> None:
        self.namespace = namespace
        self.documents: dict[Key, Document] = {}
        self.indexes: dict[str, Index] = {}
        self._journal = journal

    def find(self, query: Document) -> Iterator[Document]:
        """The documents that match, lazily: take them before anything is written."""
        return filter(compile_filter(query), self._candidates(query))

    def _candidates(self, query: Document) -> Iterable[Document]:
        ids = self._candidate_ids(query)
        if ids is None:
            return self.documents.values()
        return [self.documents[key] for key in dict.fromkeys(ids) if key in self.documents]

    def _candidate_ids(self, query: Document) -> Iterable[Key] | None:
        pinned = pinned_values(query, "_id")
        if pinned is not None:
            return map(order, pinned)
        for index in self.indexes.values():
            pinned = pinned_values(query, index.path) if index.path else None
            if pinned is not None:
                return index.owners(pinned)
        return None

    def insert(self, document: Document) -> None:
        """Raises `StoreError` for a duplicate key, an array as `_id` and what cannot be stored."""
        key = order(document["_id"])
        if type(document["_id"]) is list:
            raise StoreError(INVALID_ID_FIELD, "The '_id' value cannot be of type array")
        if key in self.documents:
            raise _duplicate(self.namespace, "_id_", {"_id": 1}, {"_id": document["_id"]})
        self._put(key, None, document, self._encode(document))

    def replace(self, old: Document, new: Document) -> bool:
        """Whether that changed anything. Raises `StoreError` as `insert` does, and for another `_id`."""
        if bson.encode({"": new.get("_id")}) != bson.encode({"": old["_id"]}):
            raise StoreError(IMMUTABLE_FIELD, "the update would change the immutable field '_id'")
        body = self._encode(new)
        if body == bson.encode(old):
            return False
        self._put(order(old["_id"]), old, new, body)
        return True

    def delete(self, document: Document) -> None:
        key = order(document["_id"])
        for index in self.indexes.values():
            index.remove(index.keys(document), key)
        del self.documents[key]
        self._journal.delete_document(self.namespace, document["_id"])

    def add_index(self, spec: Document) -> None:
        """Enter every document. Raises `StoreError` if two of them clash, and then there is no index."""
        index = Index(spec)
        self._build(index)
        self._journal.put_index(self.namespace, index.name, spec)

    def drop_index(self, name: str) -> None:
        del self.indexes[name]
        self._journal.delete_index(self.namespace, name)

    def load(self, documents: Iterable[Document], specs: Iterable[Document]) -> None:
        """Take over what the journal holds."""
        self.documents = {order(document["_id"]): document for document in documents}
        for spec in specs:
            self._build(Index(spec))

    def _build(self, index: Index) -> None:
        for key, document in self.documents.items():
            keys = index.keys(document)
            index.refuse_duplicate(self.namespace, document, keys, key)
            index.enter(keys, key)
        self.indexes[index.name] = index

    def _put(self, key: Key, old: Document | None, new: Document, body: bytes) -> None:
        entries = [(index, index.keys(new)) for index in self.indexes.values()]
        for index, keys in entries:
            index.refuse_duplicate(self.namespace, new, keys, key)
        for index, keys in entries:
            if old is not None:
                index.remove(index.keys(old), key)
            index.enter(keys, key)
        self.documents[key] = new
        self._journal.put_document(self.namespace, new["_id"], body)

    def _encode(self, document: Document) -> bytes:
        check_storable(document)
        body = bson.encode(document)
        if len(body) > MAX_DOCUMENT_BYTES:
            raise StoreError(OBJECT_TOO_LARGE, f"the document has {len(body)} bytes; {MAX_DOCUMENT_BYTES} are allowed")
        return body
