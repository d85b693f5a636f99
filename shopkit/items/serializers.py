"""The shape of an item: the fields all types share. A type's serializer adds its own as class attributes."""

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shopkit.money import CurrencyField, MoneyField

ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class RatingSerializer(serializers.Serializer[Any]):
    average = serializers.FloatField()
    count = serializers.IntegerField()


def image_path(segment: str, item_id: str, name: str) -> str:
    return f"/api/{segment}/{item_id}/images/{name}/"


class TextField(serializers.CharField):
    """Short text; an update may leave it out, an item may be without it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 200, "required": False, "allow_blank": True, "default": "", **kwargs})


class IsoDateField(serializers.DateField):
    """A date kept as ISO 8601 text, which compares as dates do."""

    def to_internal_value(self, value: Any) -> str:  # type: ignore[override]
        return super().to_internal_value(value).isoformat()


class WordsField(serializers.ListField):
    """A list of short words; no duplicates."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.CharField(max_length=60)
        super().__init__(child=child, **{"max_length": 30, "default": list, **kwargs})

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class TagsField(WordsField):
    """Tags, in lower case."""

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(tag.lower() for tag in super().to_internal_value(data)))


class ItemSerializer(serializers.Serializer[Any]):
    """`{id, type, name, description, price, currency, stock, brand, tags, collections, images, rating, …, version}`.

    `price` may be absent or null: then the item is not for sale yet. `stock` counts on creation only.
    Where it falls to `low_stock_at` (null: the shop's own number) staff are told.
    """

    id = serializers.CharField(source="_id", read_only=True)
    type = serializers.SerializerMethodField()
    name = serializers.CharField(max_length=200)
    description = TextField(max_length=5000)
    price = MoneyField(allow_null=True, default=None)
    currency = CurrencyField()
    stock = serializers.IntegerField(source="available", min_value=0, max_value=10**9, default=0)
    low_stock_at = serializers.IntegerField(min_value=0, max_value=10**9, allow_null=True, default=None)
    brand = TextField()
    tags = TagsField()
    collections = WordsField()
    images = serializers.SerializerMethodField()
    rating = RatingSerializer(read_only=True)
    likes = serializers.IntegerField(read_only=True, default=0)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    version = serializers.IntegerField(read_only=True)

    def get_type(self, _item: object) -> str:
        return str(self.context["kind"].type)

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uri-reference"}})
    def get_images(self, item: Mapping[str, Any]) -> list[str]:
        """Paths, the same at every host that the item is read from."""
        return [image_path(self.context["kind"].path, str(item["_id"]), name) for name in item["images"]]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = self.initial_data.get("type") if isinstance(self.initial_data, Mapping) else None
        if given is not None and given != self.context["kind"].type:
            raise serializers.ValidationError({"type": [f"This service keeps items of type {self.get_type(None)}."]})
        return attrs


class StockChangeSerializer(serializers.Serializer[Any]):
    """`{change, reason}`: how many more (or, negative, fewer) are free to sell, and why."""

    change = serializers.IntegerField(min_value=-(10**6), max_value=10**6)
    reason = serializers.CharField(max_length=200)

    def validate_change(self, value: int) -> int:
        if value == 0:
            raise serializers.ValidationError("A change of nothing is no change.")
        return value


class StockEntrySerializer(serializers.Serializer[Any]):
    """One change: `quantity` is what it added to, or took from, what is free to sell."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    quantity = serializers.IntegerField()
    order_id = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)
    by = serializers.CharField(required=False)


class ItemIdsSerializer(serializers.Serializer[Any]):
    """`{ids}`: as many items as a hundred full carts hold."""

    ids = serializers.ListField(child=serializers.RegexField(rf"^{ITEM_ID.pattern}\Z"), max_length=10_000)


class LinesSerializer(serializers.Serializer[Any]):
    """`{lines: {item_id: quantity}}`; `key` names a restocking, `customer_id` says who buys."""

    lines = serializers.DictField(child=serializers.IntegerField(min_value=1, max_value=10**6), allow_empty=False)
    key = serializers.RegexField(r"^[A-Za-z0-9_-]{1,80}\Z", required=False)
    customer_id = serializers.CharField(max_length=64, required=False, allow_null=True)

    def validate_lines(self, value: dict[str, int]) -> dict[str, int]:
        if any(not ITEM_ID.fullmatch(item_id) for item_id in value):
            raise serializers.ValidationError("An item's id has letters, digits, - and _ only.")
        return value


class ChangesAskedSerializer(serializers.Serializer[Any]):
    """`since` in ms since 1970, and the id it got to in that ms; or some `ids`, with commas between."""

    since = serializers.IntegerField(min_value=0, max_value=10**14, required=False)
    after = serializers.CharField(max_length=100, allow_blank=True, default="")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=500)
    ids = serializers.CharField(max_length=4000, allow_blank=True, default="")
