"""Item services played in this process: their own documents, queries and feed, all types in one collection."""

from typing import Any

from rest_framework import serializers

from items_router.catalogue import applying, sources
from items_router.catalogue.change import Change
from shopkit import topology
from shopkit.items import changes, feed, services
from shopkit.items.kind import ItemKind
from shopkit.items.query import ItemQuery
from shopkit.items.serializers import ItemSerializer, TextField
from shopkit.mongo import Document


class MadeSerializer(ItemSerializer):
    author = TextField()
    weight_g = serializers.IntegerField(required=False, default=None, allow_null=True)


KINDS = {
    kind: ItemKind(type=kind, path=service.paths[0], serializer=MadeSerializer, searched=("author",))
    for kind, service in topology.by_item_type().items()
}
PLAIN: Document = {"description": "", "price": 100, "currency": "USD", "available": 1, "brand": "", "author": ""}


def make(item_id: str, **values: Any) -> Document:
    """A document in the store. `rating`: the average."""
    kind = KINDS[item_id.partition("_")[0]]
    rating = {"rating": {"average": values.pop("rating"), "count": 1}} if "rating" in values else {}
    made = {**PLAIN, "name": item_id, "tags": [], "collections": [], **values, **rating}
    return services.create(kind=kind, values=made, item_id=item_id)


def told(documents: list[Document]) -> list[dict[str, Any]]:
    """What the feed says of them."""
    return [feed.of(kind=KINDS[each["_id"].partition("_")[0]], ids=[each["_id"]])["changes"][0] for each in documents]


def feed_all() -> None:
    """Everything in the store goes into the catalogue."""
    applying.apply(map(Change.read, told(list(changes.items().find()))))


def all_live() -> None:
    for kind in KINDS:
        sources.claim(kind, every_seconds=0)
        sources.put(kind, complete=True, round_at=None)
        sources.reached(kind)


def own_list(params: dict[str, str]) -> list[str]:
    """The ids that the item services' own query finds, in its order; all of them, for there is one collection."""
    return [each["_id"] for each in ItemQuery(KINDS["book"], params)[0:10_000]]


def ids(page: Any) -> list[str]:
    return [each["id"] for each in page["results"]]
