"""What the tests of the contract have in common."""

from typing import Any

from pymongo.collection import Collection

Document = dict[str, Any]
Items = Collection[Document]


def ids(documents: Any) -> list[Any]:
    return [document["_id"] for document in documents]


def only(items: Items, identity: object = 1) -> Document:
    document = items.find_one({"_id": identity})
    assert document is not None
    return document
