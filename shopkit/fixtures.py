"""Puts sample data into one service's store: what is not there yet is added, what is there stays as it is.

A relational service's file is a Django fixture; an item service's, a list of items as its API shows them; that of
another document store, `{collection: [documents]}`.
"""

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import chain, islice
from typing import Any

from django.core import serializers
from django.db import transaction
from pymongo import UpdateOne
from pymongo.collection import Collection

from shopkit import mongo
from shopkit.mongo import Document
from shopkit.topology import Service

Counts = tuple[int, int]
"""Added, and there already."""
BATCH = 200


def load(service: Service, entries: Any) -> Counts:
    """Raises what the store or the validation raises; then nothing of the batch at hand is kept."""
    if service.relational:
        return _load_rows(entries)
    if service.item_type:
        return _load_items(service, entries)
    return _load_documents(entries)


@transaction.atomic
def _load_rows(entries: list[dict[str, Any]]) -> Counts:
    added = 0
    for row in serializers.deserialize("json", json.dumps(entries)):
        if not type(row.object)._base_manager.filter(pk=row.object.pk).exists():
            row.save()
            added += 1
    return added, len(entries) - added


def _load_items(service: Service, entries: list[Document]) -> Counts:
    services = import_module("shopkit.items.services")
    kind = import_module(f"{service.name}.documents").KIND
    generated = import_module("fixtures.generate").items(service.item_type)

    def documents() -> Iterator[Document]:
        for entry in chain(entries, generated):
            shape = kind.serializer(data=entry, context={"kind": kind})
            shape.is_valid(raise_exception=True)
            yield services.new_document(kind=kind, values=shape.validated_data, item_id=entry["id"])

    return _add(services.items(), documents())


def _load_documents(collections: dict[str, list[Document]]) -> Counts:
    counts = [_add(mongo.collection(name), documents) for name, documents in collections.items()]
    return sum(added for added, _ in counts), sum(kept for _, kept in counts)


def _add(collection: Collection[Document], documents: Iterable[Document]) -> Counts:
    """In batches, each document only where its id is free."""
    waiting, added, seen = iter(documents), 0, 0
    while batch := list(islice(waiting, BATCH)):
        writes = [UpdateOne({"_id": each["_id"]}, {"$setOnInsert": each}, upsert=True) for each in batch]
        added += collection.bulk_write(writes, ordered=False).upserted_count
        seen += len(batch)
    return added, seen - added
