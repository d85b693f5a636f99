"""Puts sample data into one service's store: what is not there yet is added, what is there stays as it is.

A relational service's file is a Django fixture, in which a row may go without its times; an item service's, a list of
items as its API shows them; that of another document store, `{collection: [documents]}`.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from itertools import chain, islice
from typing import Any

from django.core import serializers
from django.db import transaction
from django.db.models import DateTimeField, Model
from django.utils import timezone
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from shopkit import mongo
from shopkit.mongo import Document
from shopkit.topology import Service

Counts = tuple[int, int]
"""Added, and there already."""
Key = tuple[type[Model], Any]
BATCH = 200
TRIES = 3


def load(service: Service, entries: Any) -> Counts:
    """Raises what the store or the validation raises; then nothing of the batch at hand is kept.

    A connection that breaks is made anew, and all is gone through again; what was added by then counts as there.
    """
    for _ in range(TRIES - 1):
        with suppress(AutoReconnect):
            return _load(service, entries)
    return _load(service, entries)


def _load(service: Service, entries: Any) -> Counts:
    if service.relational:
        return _load_rows(entries)
    if service.item_type:
        return _load_items(service, entries)
    return _load_documents(entries)


@transaction.atomic
def _load_rows(entries: list[dict[str, Any]]) -> Counts:
    added: set[Key] = set()
    for each in serializers.deserialize("json", json.dumps(entries)):
        if _is_new(each.object, added):
            _set_times(each.object)
            each.save()
            added.add((type(each.object), each.object.pk))
    return len(added), len(entries) - len(added)


def _is_new(row: Model, added: set[Key]) -> bool:
    """A part of another row, which it can't be without as its foreign key says, comes with that one. So it needs no
    `pk` in the fixture, where a number would sooner or later be that of a row which the service made itself."""
    for field in row._meta.fields:
        if field.related_model and not field.null:
            return (field.related_model, getattr(row, field.attname)) in added
    unique = ["pk"] if row.pk is not None else row._meta.unique_together[0]
    return not type(row)._base_manager.filter(**{name: getattr(row, name) for name in unique}).exists()


def _set_times(row: Model) -> None:
    """What is left out is the present; Django sets no times on rows of a fixture."""
    for field in row._meta.fields:
        if isinstance(field, DateTimeField) and (field.auto_now or field.auto_now_add):
            setattr(row, field.attname, getattr(row, field.attname) or timezone.now())


def _load_items(service: Service, entries: list[Document]) -> Counts:
    services = import_module("shopkit.items.services")
    feed, tombstones = map(import_module, ("shopkit.items.feed", "shopkit.items.tombstones"))
    kind = import_module("shopkit.items.kind").own_kind()
    generated = import_module("fixtures.generate").items(service.item_type)

    def documents() -> Iterator[Document]:
        for entry in chain(entries, generated):
            shape = kind.serializer(data=entry, context={"kind": kind})
            shape.is_valid(raise_exception=True)
            yield services.new_document(kind=kind, values=shape.validated_data, item_id=entry["id"])

    counts = _add(services.items(), documents(), ready=tombstones.go_on)
    while feed.tell():  # so that what was loaded is listed by the time that it is said to be loaded
        pass
    return counts


def _load_documents(collections: dict[str, list[Document]]) -> Counts:
    made = {"created_at": datetime.now(UTC), "updated_at": datetime.now(UTC), "version": 1}
    counts = [
        _add(mongo.collection(name), ({**made, **document} for document in documents))
        for name, documents in collections.items()
    ]
    return sum(added for added, _ in counts), sum(kept for _, kept in counts)


def _add(
    collection: Collection[Document],
    documents: Iterable[Document],
    *,
    ready: Callable[[list[Document]], None] = lambda _batch: None,
) -> Counts:
    """In batches, each document only where its id is free; `ready` is done to a batch before."""
    waiting, added, seen = iter(documents), 0, 0
    while batch := list(islice(waiting, BATCH)):
        ready(batch)
        writes = [UpdateOne({"_id": each["_id"]}, {"$setOnInsert": each}, upsert=True) for each in batch]
        added += collection.bulk_write(writes, ordered=False).upserted_count
        seen += len(batch)
    return added, seen - added
