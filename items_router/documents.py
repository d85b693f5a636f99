"""Collections: named groups of items across types. An item says which it is in; this says what they are called."""

from datetime import datetime
from typing import TypedDict

from pymongo.collection import Collection

from shopkit import mongo
from shopkit.mongo import Document


class CollectionDocument(TypedDict):
    """`_id` is the slug that items name in `collections`."""

    _id: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    version: int


def collections() -> Collection[Document]:
    return mongo.collection("collections")
