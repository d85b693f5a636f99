"""The commands that read: find, count, distinct, aggregate, and the cursors behind them."""

from collections.abc import Iterable
from typing import Any

import bson
from bson import Int64
from bson.raw_bson import RawBSONDocument

from shopkit.embedded.aggregation import compile_pipeline
from shopkit.embedded.errors import COMMAND_NOT_SUPPORTED, Unsupported
from shopkit.embedded.shaping import compile_projection, compile_sort
from shopkit.embedded.store import Store
from shopkit.embedded.values import MISSING, Document, as_count, as_list, as_map, order, split_path, values_at

_FIRST_BATCH = 101
_MAX_BATCH_BYTES = 16 * 1024 * 1024


def namespace_of(command: Document, name: Any) -> str:
    """`database.collection`. Raises for a command that is not on a collection."""
    if type(name) is not str:
        raise Unsupported(f"{next(iter(command))} without a collection", COMMAND_NOT_SUPPORTED)
    return f"{command['$db']}.{name}"


def find(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["find"])
    query = as_map(command.get("filter", {}), "filter")
    shape = compile_projection(as_map(command.get("projection", {}), "projection"))
    documents = list(store.collection(namespace).find(query))
    if sort := as_map(command.get("sort", {}), "sort"):
        documents = compile_sort(sort)(documents)
    window = _window(documents, command)
    size = as_count(command.get("batchSize", _FIRST_BATCH), "batchSize")
    return first_batch(store, namespace, map(shape, window), size, single=bool(command.get("singleBatch")))


def _window(documents: list[Document], command: Document) -> list[Document]:
    skip, limit = as_count(command.get("skip", 0), "skip"), as_count(command.get("limit", 0), "limit")
    return documents[skip : skip + limit if limit else None]


def aggregate(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["aggregate"])
    pipeline = as_list(command.get("pipeline"), "pipeline")
    # The first $match may look its documents up instead of going through all.
    query = as_map(pipeline[0]["$match"], "$match") if pipeline and list(pipeline[0]) == ["$match"] else None
    run = compile_pipeline(pipeline if query is None else pipeline[1:])
    documents = run(store.collection(namespace).find(query or {}))
    options = as_map(command.get("cursor", {}), "cursor")
    return first_batch(store, namespace, documents, as_count(options.get("batchSize", _FIRST_BATCH), "batchSize"))


def first_batch(
    store: Store, namespace: str, documents: Iterable[Document], size: int, *, single: bool = False
) -> Document:
    """The reply that begins a cursor, which stays open if there is more and `single` does not forbid it."""
    batch, rest = _split(list(documents), size)
    number = store.open_cursor(namespace, rest) if rest and not single else 0
    return {"cursor": {"firstBatch": batch, "id": Int64(number), "ns": namespace}, "ok": 1.0}


def _split(documents: list[Document], size: int) -> tuple[list[RawBSONDocument], list[Document]]:
    """At most `size` documents and 16 MiB, but one at least if any are asked for; and those that remain."""
    batch: list[RawBSONDocument] = []
    room = _MAX_BATCH_BYTES
    for document in documents[:size]:
        body = bson.encode(document)
        room -= len(body)
        if room < 0 and batch:
            break
        batch.append(RawBSONDocument(body))
    return batch, documents[len(batch) :]


def get_more(store: Store, command: Document) -> Document:
    number, namespace = int(command["getMore"]), namespace_of(command, command["collection"])
    cursor = store.cursor(number, namespace)
    size = as_count(command.get("batchSize", 0), "batchSize") or len(cursor.documents)
    batch, cursor.documents = _split(cursor.documents, size)
    if not cursor.documents:
        store.close_cursor(number)
    remaining = Int64(number if cursor.documents else 0)
    return {"cursor": {"nextBatch": batch, "id": remaining, "ns": namespace}, "ok": 1.0}


def kill_cursors(store: Store, command: Document) -> Document:
    numbers = as_list(command.get("cursors"), "cursors")
    killed = [number for number in numbers if store.close_cursor(number)]
    unknown = [number for number in numbers if number not in killed]
    return {"cursorsKilled": killed, "cursorsNotFound": unknown, "cursorsAlive": [], "cursorsUnknown": [], "ok": 1.0}


def count(store: Store, command: Document) -> Document:
    collection = store.collection(namespace_of(command, command["count"]))
    found = list(collection.find(as_map(command.get("query", {}), "query")))
    return {"n": len(_window(found, command)), "ok": 1.0}


def distinct(store: Store, command: Document) -> Document:
    collection, parts = store.collection(namespace_of(command, command["distinct"])), split_path(command["key"])
    values: dict[Any, Any] = {}
    for document in collection.find(as_map(command.get("query", {}), "query")):
        for value in values_at(document, parts):
            for member in value if type(value) is list else [value]:
                if member is not MISSING:
                    values.setdefault(order(member), member)
    return {"values": list(values.values()), "ok": 1.0}
