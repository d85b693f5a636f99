"""The commands about the server, its databases, collections and indexes."""

import time
from typing import Any

from bson import Int64
from bson.datetime_ms import DatetimeMS

from shopkit.embedded.collection import MAX_DOCUMENT_BYTES, Index
from shopkit.embedded.errors import (
    INDEX_KEY_SPECS_CONFLICT,
    INDEX_NOT_FOUND,
    INDEX_OPTIONS_CONFLICT,
    INVALID_OPTIONS,
    NAMESPACE_EXISTS,
    NAMESPACE_NOT_FOUND,
    StoreError,
)
from shopkit.embedded.matching import compile_filter
from shopkit.embedded.reads import first_batch, namespace_of
from shopkit.embedded.store import Store
from shopkit.embedded.values import Document, as_list, as_map
from shopkit.embedded.wire import MAX_MESSAGE_BYTES

_VERSION = [7, 0, 0, 0]


def hello(_: Store, command: Document) -> Document:
    """A standalone of MongoDB 7, so that drivers neither retry writes nor begin transactions."""
    primary = "isWritablePrimary" if "hello" in command else "ismaster"
    return {
        primary: True,
        "helloOk": True,
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
        "maxMessageSizeBytes": MAX_MESSAGE_BYTES,
        "maxWriteBatchSize": 100_000,
        "localTime": DatetimeMS(time.time_ns() // 1_000_000),
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": 0,
        "maxWireVersion": 21,
        "readOnly": False,
        "ok": 1.0,
    }


def acknowledge(_: Store, __: Document) -> Document:
    """For ping, and for sessions, which hold nothing here that could be ended."""
    return {"ok": 1.0}


def build_info(_: Store, __: Document) -> Document:
    version = ".".join(map(str, _VERSION[:3]))
    return {
        "version": version,
        "versionArray": _VERSION,
        "modules": ["embedded development store"],
        "maxBsonObjectSize": MAX_DOCUMENT_BYTES,
        "ok": 1.0,
    }


def list_databases(store: Store, command: Document) -> Document:
    names = dict.fromkeys(namespace.partition(".")[0] for namespace in store.collections)
    entries = [{"name": name, "sizeOnDisk": Int64(1), "empty": False} for name in names]
    matches = compile_filter(as_map(command.get("filter", {}), "filter"))
    return {"databases": [entry for entry in entries if matches(entry)], "totalSize": Int64(len(names)), "ok": 1.0}


def drop_database(store: Store, command: Document) -> Document:
    for name in store.names(command["$db"]):
        store.drop(f"{command['$db']}.{name}")
    return {"dropped": command["$db"], "ok": 1.0}


def list_collections(store: Store, command: Document) -> Document:
    entries: list[Document] = [
        {"name": name, "type": "collection", "options": {}, "info": {"readOnly": False}}
        for name in store.names(command["$db"])
    ]
    matches = compile_filter(as_map(command.get("filter", {}), "filter"))
    namespace = f"{command['$db']}.$cmd.listCollections"
    return first_batch(store, namespace, filter(matches, entries), len(entries))


def create(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["create"])
    if namespace in store.collections:
        raise StoreError(NAMESPACE_EXISTS, f"Collection {namespace} already exists.")
    store.make(namespace)
    return {"ok": 1.0}


def drop(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["drop"])
    store.drop(namespace)
    return {"ns": namespace, "ok": 1.0}


def create_indexes(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["createIndexes"])
    created = namespace not in store.collections
    collection = store.make(namespace)
    before = len(collection.indexes) + 1
    for given in as_list(command.get("indexes"), "indexes"):
        spec = as_map(given, "each index")
        if spec.get("key") != {"_id": 1} and not _exists(collection.indexes, Index(spec)):
            collection.add_index(spec)
    return {
        "numIndexesBefore": before,
        "numIndexesAfter": len(collection.indexes) + 1,
        "createdCollectionAutomatically": created,
        "ok": 1.0,
    }


def _exists(indexes: dict[str, Index], wanted: Index) -> bool:
    """Whether the same index is there already. Raises if another has its name, or its key."""
    for index in indexes.values():
        same_key = list(index.key.items()) == list(wanted.key.items())
        if index.name == wanted.name and same_key and index.unique == wanted.unique:
            return True
        if index.name == wanted.name:
            raise StoreError(INDEX_KEY_SPECS_CONFLICT, f"An index named {index.name} exists and is not the same")
        if same_key:
            raise StoreError(INDEX_OPTIONS_CONFLICT, f"The same index exists with another name: {index.name}")
    return False


def list_indexes(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["listIndexes"])
    if namespace not in store.collections:
        raise StoreError(NAMESPACE_NOT_FOUND, f"ns does not exist: {namespace}")
    entries: list[Document] = [{"v": 2, "key": {"_id": 1}, "name": "_id_"}]
    for index in store.collections[namespace].indexes.values():
        entries.append({"v": 2, "key": index.key, "name": index.name} | ({"unique": True} if index.unique else {}))
    return first_batch(store, namespace, entries, len(entries))


def drop_indexes(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["dropIndexes"])
    if namespace not in store.collections:
        raise StoreError(NAMESPACE_NOT_FOUND, f"ns not found {namespace}")
    collection = store.collections[namespace]
    before = len(collection.indexes) + 1
    for name in _named(collection.indexes, command.get("index")):
        collection.drop_index(name)
    return {"nIndexesWas": before, "ok": 1.0}


def _named(indexes: dict[str, Index], wanted: Any) -> list[str]:
    """The names that `*`, a name or a key stands for. Raises IndexNotFound, and InvalidOptions for that of `_id`."""
    if wanted == "*":
        return list(indexes)
    if wanted in ("_id_", {"_id": 1}):
        raise StoreError(INVALID_OPTIONS, "cannot drop _id index")
    names = [index.name for index in indexes.values() if wanted in (index.name, index.key)]
    if not names:
        raise StoreError(INDEX_NOT_FOUND, f"index not found with name [{wanted}]")
    return names
