"""Items of a file into the store: in batches, each line by the rules that the API has.

A line whose id is that of an item changes what it names; any other makes an item, of that id if it has one. So an
import with ids can be broken off and repeated. Stock counts for new items only: there is another way to change it.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pymongo import UpdateOne
from rest_framework.exceptions import ValidationError

from shopkit.errors import ShopError
from shopkit.items import services, tombstones
from shopkit.items.changes import items
from shopkit.items.kind import ItemKind
from shopkit.items.serializers import ITEM_ID, ItemSerializer
from shopkit.items.transfer.files import Errors, Line
from shopkit.mongo import Document

BATCH = 250
_NOT_COMPARED = {"words": 0, "holds": 0, "changes": 0}


@dataclass
class Counts:
    """Of lines. `skipped` are those of items to be left alone; `stock_kept`, of items whose stock is another."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    stock_kept: int = 0


@dataclass
class Import:
    """One import. `refuse` is told of each line that is not taken; with `dry_run`, nothing is written."""

    kind: ItemKind
    refuse: Callable[[Line], object]
    dry_run: bool = False
    skip_existing: bool = False
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        # to make a serializer's fields costs more than to check a line
        self._whole = self.kind.serializer(context={"kind": self.kind})
        self._part = self.kind.serializer(context={"kind": self.kind}, partial=True)

    def run(self, lines: Iterable[Line]) -> Iterator[Counts]:
        """Takes the lines; the counts so far, after each batch."""
        for batch in _batches(lines):
            self._take(batch)
            self.counts.read += len(batch)
            yield self.counts

    def _take(self, batch: list[Line]) -> None:
        there = self._existing(batch)
        new: dict[str, tuple[Line, Document]] = {}
        for line in batch:
            if line.errors:
                self._refuse(line, line.errors)
            elif current := there.get(_id(line)):
                self._meet(line, current)
            elif document := self._made(line):
                new[document["_id"]] = line, document
        self._add(new)

    def _existing(self, batch: list[Line]) -> dict[str, Document]:
        ids = [item_id for line in batch if (item_id := _id(line))]
        found = items().find({"_id": {"$in": ids}}, _NOT_COMPARED) if ids else ()
        return {item["_id"]: item for item in found}

    def _made(self, line: Line) -> Document | None:
        item_id = line.values.get("id")
        if item_id is not None and not self._is_id(item_id):
            message = f"An id is {self.kind.type}_ and then letters, digits, - and _: 100 characters at most."
            self._refuse(line, {"id": [message]})
            return None
        if (values := self._valid(line, self._whole)) is None:
            return None
        named = item_id or f"{self.kind.type}_{uuid.uuid4().hex}"
        return services.new_document(kind=self.kind, values=values, item_id=named)

    def _is_id(self, item_id: object) -> bool:
        return isinstance(item_id, str) and bool(
            ITEM_ID.fullmatch(item_id) and item_id.startswith(f"{self.kind.type}_")
        )

    def _add(self, new: dict[str, tuple[Line, Document]]) -> None:
        """Each where its id is still free; an item that came to be meanwhile is changed instead."""
        if not new or self.dry_run:
            self.counts.added += len(new)
            return
        order = list(new)
        tombstones.go_on(document for _line, document in new.values())
        writes = [UpdateOne({"_id": item_id}, {"$setOnInsert": new[item_id][1]}, upsert=True) for item_id in order]
        done = items().bulk_write(writes, ordered=False)
        added = set((done.upserted_ids or {}).values())
        self.counts.added += len(added)
        for item_id in order:
            if item_id not in added and (current := items().find_one({"_id": item_id})):
                self._meet(new[item_id][0], current)

    def _meet(self, line: Line, current: Document) -> None:
        if self.skip_existing:
            self.counts.skipped += 1
            return
        if (values := self._valid(line, self._part)) is None:
            return
        self.counts.stock_kept += values.pop("available", current["available"]) != current["available"]
        changed = {name: value for name, value in values.items() if current.get(name) != value}
        if not changed:
            self.counts.unchanged += 1
        elif self.dry_run or self._changed(line, changed):
            self.counts.changed += 1

    def _changed(self, line: Line, values: Document) -> bool:
        try:
            services.update(kind=self.kind, item_id=line.values["id"], values=values, version=None)
        except ShopError as error:  # it was deleted, or others kept changing it
            self._refuse(line, {"line": [error.message]})
            return False
        return True

    def _valid(self, line: Line, shape: ItemSerializer) -> Document | None:
        """What the API would make of it; None when it is refused."""
        shape.initial_data = line.values
        try:
            return dict(shape.run_validation(line.values))
        except ValidationError as error:
            self._refuse(line, _flat(error.detail))
            return None

    def _refuse(self, line: Line, errors: Errors) -> None:
        self.counts.refused += 1
        self.refuse(Line(line.number, line.values, errors))


def _id(line: Line) -> Any:
    item_id = line.values.get("id")
    return item_id if isinstance(item_id, str) else None


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """At most `BATCH` lines each, no id twice in one: the later line is to find what the earlier one made."""
    batch: list[Line] = []
    ids: set[str] = set()
    for line in lines:
        item_id = _id(line)
        if len(batch) == BATCH or item_id in ids:
            yield batch
            batch, ids = [], set()
        batch.append(line)
        ids |= {item_id} if item_id else set()
    if batch:
        yield batch


def _flat(detail: Any) -> Errors:
    """Field → sentences; of a list's members, all sentences together."""
    return {name: _sentences(each) for name, each in detail.items()}


def _sentences(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [f"{name}: {text}" for name, each in detail.items() for text in _sentences(each)]
    return [text for each in detail for text in _sentences(each)] if isinstance(detail, list) else [str(detail)]
