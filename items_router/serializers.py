"""The shape of a collection."""

from typing import Any

from rest_framework import serializers

from shopkit.items.serializers import TextField


class CollectionSerializer(serializers.Serializer[Any]):
    """`{id, title, description, created_at, updated_at, version}`; `id` is a slug, fixed once made."""

    id = serializers.RegexField(r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", max_length=60, source="_id")
    title = serializers.CharField(max_length=200)
    description = TextField(max_length=2000)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    version = serializers.IntegerField(read_only=True)


class CollectionUpdateSerializer(CollectionSerializer):
    id = serializers.CharField(source="_id", read_only=True)  # type: ignore[assignment]


class CollectionWithCountSerializer(CollectionSerializer):
    """With `item_count`, over all types."""

    item_count = serializers.IntegerField()


class FacetSerializer(serializers.Serializer[Any]):
    """A value, and how many items have it."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class PriceFacetSerializer(serializers.Serializer[Any]):
    """Prices from `min_price` to `max_price`, both included; null for no end."""

    min_price = serializers.CharField()
    max_price = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer[Any]):
    """What a list could be narrowed by; of brands, collections and tags the 50 most frequent."""

    count = serializers.IntegerField()
    types = FacetSerializer(many=True)
    brands = FacetSerializer(many=True)
    prices = PriceFacetSerializer(many=True)
    collections = FacetSerializer(many=True)
    tags = FacetSerializer(many=True)
    sources = serializers.DictField(child=serializers.ChoiceField(["live", "snapshot"]))


class ToldSerializer(serializers.Serializer[Any]):
    """`{changes, purchases}`, as `shopkit.items.feed` sends them."""

    changes = serializers.ListField(child=serializers.DictField(), max_length=1000)
    purchases = serializers.ListField(child=serializers.DictField(), max_length=1000, default=list)


class CombinedItemsSerializer(serializers.Serializer[Any]):
    """A page of items of all types; beside the common fields each has its type's own."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())
    sources = serializers.DictField(child=serializers.ChoiceField(["live", "snapshot"]))


class SimilarSerializer(serializers.Serializer[Any]):
    """A page of items of all types, the best first."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class RecommendedSerializer(SimilarSerializer):
    """`basis`: `history` where the caller's own counts for something, `popular` for newcomers."""

    basis = serializers.ChoiceField(["history", "popular"])
