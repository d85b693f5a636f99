"""The store's items into a file, in the order of their ids."""

from collections.abc import Iterator
from typing import TextIO

from shopkit.items.changes import items
from shopkit.items.kind import ItemKind
from shopkit.items.transfer import files

BATCH = 500


def write(file: TextIO, *, kind: ItemKind, format: str) -> Iterator[int]:  # noqa: A002  # what its option is called
    """Writes them; how many it has written, after each. An item that is there all the while is written once."""
    write_one = files.writer(file, kind=kind, format=format)
    found = items().find().sort("_id", 1).batch_size(BATCH)
    for number, item in enumerate(found, 1):
        write_one(kind.reader.to_representation(item))
        yield number
